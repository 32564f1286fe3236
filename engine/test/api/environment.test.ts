// The surface on the real engine: a program without a notebook uses an Environment.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, Environment, sliding, sum, tumbling, valueState } from '../../index.ts';

const minute = 60_000;
const orders = [
  { id: 'a1', customer: 'ann', amount: 5, at: 0 },
  { id: 'b1', customer: 'bob', amount: 1, at: 10_000 },
  { id: 'a2', customer: 'ann', amount: 7, at: 50_000 },
  { id: 'a3', customer: 'ann', amount: 2, at: 70_000 },
];

test('per-record verbs give their rows in order', async () => {
  const env = new Environment();
  const rows = await env
    .from(orders)
    .filter((o) => o.amount > 1)
    .flatMap((o) => [o.id, o.id.toUpperCase()])
    .map((id) => `${id}!`)
    .take(4)
    .toArray();
  assert.deepEqual(rows, ['a1!', 'A1!', 'a2!', 'A2!']);
});

test('a keyed window gives one flat row per key and window', async () => {
  const env = new Environment();
  const rows = await env
    .from(orders, { timestamp: 'at' })
    .keyBy('customer')
    .window(tumbling('1m'))
    .aggregate({ total: sum('amount'), n: count(), double: sum((o) => o.amount * 2) })
    .toArray();
  const first = { windowStart: new Date(0), windowEnd: new Date(minute) };
  assert.deepEqual(
    rows.sort((a, b) => a.windowEnd.getTime() - b.windowEnd.getTime() || (a.customer < b.customer ? -1 : 1)),
    [
      { customer: 'ann', ...first, total: 12, n: 2, double: 24 },
      { customer: 'bob', ...first, total: 1, n: 1, double: 2 },
      { customer: 'ann', windowStart: new Date(minute), windowEnd: new Date(2 * minute), total: 2, n: 1, double: 4 },
    ],
  );
});

test('windowAll, apply and reduce see every element of their window', async () => {
  const env = new Environment();
  const source = env.from(orders, { timestamp: 'at' });
  const counts = await source.windowAll(sliding('2m', '1m')).aggregate({ n: count() }).toArray();
  assert.deepEqual(
    counts.map(({ n, windowEnd }) => [n, windowEnd.getTime() / minute]),
    [
      [3, 1],
      [4, 2],
      [1, 3],
    ],
  );
  const ids = await source
    .keyBy((o) => o.customer)
    .window(tumbling('1h'))
    .apply((key, { windowEnd }, elements) => [`${key.key} ${windowEnd.getTime() / minute} ${elements.length}`])
    .toArray();
  assert.deepEqual(ids.sort(), ['ann 60 3', 'bob 60 1']);
});

test('a process function keeps state and timers by key', async () => {
  const env = new Environment();
  const rows = await env
    .from(orders, { timestamp: 'at' })
    .keyBy('customer')
    .process({
      state: { seen: valueState<number>() },
      *onElement(order, { state, timers, timestamp }) {
        state.seen.set((state.seen.get() ?? 0) + 1);
        timers.eventTime(timestamp + 1);
        yield `${order.customer} ${state.seen.get()}`;
      },
      *onTimer(at, { key }) {
        if (at > minute) yield `timer ${key.customer} ${at}`;
      },
    })
    .toArray();
  assert.deepEqual(rows, ['ann 1', 'bob 1', 'ann 2', 'ann 3', 'timer ann 70001']);
});

test('two connected streams meet in one operator', async () => {
  const env = new Environment();
  const mapped = await env
    .from([1, 2])
    .connect(env.from(['x']))
    .map(
      (n) => `left ${n}`,
      (s) => `right ${s}`,
    )
    .toArray();
  assert.deepEqual(mapped.sort(), ['left 1', 'left 2', 'right x']);
  const met = await env
    .from(orders)
    .connect(env.from([{ orderId: 'a1', paid: 5 }]))
    .keyBy(
      (order) => order.id,
      (payment) => payment.orderId,
    )
    .process({
      state: { waiting: valueState<string>() },
      *onLeft(order, { state, key }) {
        const other = state.waiting.get();
        if (other === undefined) state.waiting.set('order');
        else yield `${key.key}: ${order.customer} met a ${other}`;
      },
      *onRight(payment, { state, key }) {
        const other = state.waiting.get();
        if (other === undefined) state.waiting.set('payment');
        else yield `${key.key}: ${payment.paid} met an ${other}`;
      },
    })
    .toArray();
  assert.equal(met.length, 1);
  assert.match(met[0]!, /^a1: /);
});

test('an infinite generator in flatMap ends with its take', async () => {
  const env = new Environment();
  const rows: number[] = [];
  for await (const n of env
    .generate({}, (g) => g.n)
    .flatMap(function* (n) {
      for (let i = 0; ; i++) yield n + i;
    })) {
    rows.push(n);
    if (rows.length === 5) break;
  }
  assert.deepEqual(rows, [0, 1, 2, 3, 4]);
});

test('a function sink gets every row, and the job ends with its source', async () => {
  const env = new Environment();
  const seen: number[] = [];
  env
    .generate({ limit: 100, seed: 3 }, ({ n }) => n)
    .keyBy((n) => n % 2)
    .reduce((a, b) => a + b)
    .sink((total) => void seen.push(total));
  const job = await env.execute('sums');
  await job.finished;
  assert.equal(seen.length, 100);
  assert.ok(seen.includes(2450) && seen.includes(2500));
  assert.equal(job.status, 'finished');
});

test('an option that a job does not have yet is refused by name', () => {
  assert.throws(() => new Environment({ parallelism: 4 }), { code: 'not-yet', message: /parallelism/ });
  assert.throws(() => new Environment({ checkpoint: { interval: '5s' } }), { code: 'not-yet' });
});

test('the metrics of a job have the notes of its sources', async () => {
  const env = new Environment();
  env.from([{ at: 1_700_000_000 }], { timestamp: 'at', name: 'orders' }).sink(() => undefined);
  const job = await env.execute();
  await job.finished;
  const { note } = job.metrics().operators.find(({ name }) => name === 'orders')!;
  assert.match(note!, /look like seconds\. Give unit: 's'/);
});

test('the metrics of a job have the rejected records of its sources, also if their errors have no reader', async () => {
  const env = new Environment();
  env
    .from([{ at: 1 }, { at: 'soon' }, {}], { timestamp: 'at', name: 'orders' })
    .map((order) => order)
    .sink(() => undefined);
  const job = await env.execute();
  await job.finished;
  const { operators } = job.metrics();
  const source = operators.find(({ name }) => name === 'orders')!;
  assert.equal(source.recordsRejected, 2);
  assert.match(source.firstRejection!, /^Element 1 of orders: "at" is "soon"/);
  for (const operator of operators)
    if (operator !== source) assert.equal('recordsRejected' in operator, false, operator.name);
});
