// An exactly-once sink in a notebook: what happens to its cell at a barrier loses and doubles
// nothing, and a side output is written in the same way.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { followCommitted } from '../chaos/committed-rows.ts';
import { LiveSession } from '../session-live/live-session.ts';

const skip = whyNoKafka() !== undefined;
let broker: Broker;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ broker, client } = started));

const name = (topic: string): string => `${topic}-${process.pid}`;
const sinkTo = (topic: string): string => `.to('${name(topic)}', { delivery: 'exactly-once' });`;
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test('re-running, arming and disarming a sink loses and doubles nothing; errors are sunk too', { skip }, async () => {
  for (const topic of ['in', 'out', 'bad']) await client.createTopic(name(topic), 1);
  await using session = new LiveSession();
  session.edit(
    'in',
    `import { kafka } from 'sluice';\nconst rows = kafka<{ n: number }>('${name('in')}', { from: 'earliest' });\nrows;`,
  );
  session.edit('out', `rows${sinkTo('out')}`);
  session.edit('bad', `rows.errors.map(() => ({ bad: true }))${sinkTo('bad')}`);
  await session.ran('in', 'out', 'bad');
  for (const cell of ['out', 'bad']) session.control.dispatch({ kind: 'arm', cell, armed: true });
  const committed = async (cell: string, count: number): Promise<void> => {
    await session.until(
      () => session.state(cell)?.sink?.committed,
      (rows) => rows === count,
      `${count} committed rows of ${cell}`,
    );
  };
  const send = async (from: number, to: number): Promise<void> => {
    await client.send(
      name('in'),
      upTo(from, to).map((n) => ({ value: { n } })),
    );
  };
  await client.send(name('in'), [{ value: '{ no JSON' }]);
  await send(0, 20);
  await committed('out', 20);
  await committed('bad', 1);
  // Rows are on their way while the cell runs again.
  const sending = (async () => {
    for (let n = 20; n < 60; n++) await send(n, n + 1);
  })();
  for (let i = 0; i < 3; i++) await session.ran('out');
  await sending;
  await committed('out', 60);
  await send(60, 80);
  await session.until(
    () => session.state('out')?.sink?.written,
    (rows) => rows === 80,
    'rows that are not committed yet, or just now',
  );
  // The removed sink commits what it had taken.
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
  await session.until(
    () => session.state('out')?.sink?.armed,
    (armed) => armed === false,
    'the preview',
  );
  const rows = await committedRecords(client, broker.brokers, name('out'), 80);
  assert.deepEqual(
    rows.map(({ value }) => (JSON.parse(value) as { n: number }).n),
    upTo(0, 80),
  );
  const bad = await committedRecords(client, broker.brokers, name('bad'), 1);
  assert.deepEqual(
    bad.map(({ value }) => value),
    ['{"bad":true}'],
  );
});

test(
  'armed, edited and disarmed while rows flow, a sink writes each row between arming and disarming once',
  { skip },
  async (t) => {
    const [from, to] = [name('flow'), name('flowed')];
    for (const topic of [from, to]) await client.createTopic(topic, 1);
    const written = await followCommitted({ brokers: broker.brokers, topics: [to], topicOf: () => to });
    t.onTestFinished(() => written.close());
    await using session = new LiveSession();
    const out = (linger: number): string => `flow.to('${to}', { delivery: 'exactly-once', linger: '${linger}ms' });`;
    session.edit(
      'flow',
      `import { kafka } from 'sluice';\nconst flow = kafka<{ n: number }>('${from}', { from: 'latest' });\nflow;`,
    );
    session.edit('out', out(5));
    await session.ran('flow', 'out');
    await session.until(
      () => session.phase('flow'),
      (phase) => phase === 'waiting',
      'the end of the topic',
    );
    let isOver = false;
    const sending = (async () => {
      for (let n = 0; !isOver; n++) {
        await client.send(from, [{ value: { n } }]);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const more = async (rows: number): Promise<void> => {
      const before = written.count(to);
      await session.until(
        () => written.count(to),
        (count) => count >= before + rows,
        `${rows} more committed rows`,
      );
    };
    await session.until(
      () => session.state('flow')?.rows ?? 0,
      (rows) => rows > 10,
      'rows before the sink is armed',
    );
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await more(10);
    for (const linger of [6, 7]) {
      session.edit('out', out(linger));
      await session.ran('out');
      await more(10);
    }
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
    await session.until(
      () => session.state('out')?.sink?.armed,
      (armed) => armed === false,
      'the preview',
    );
    isOver = true;
    await sending;
    // A reader of committed records has this one only when no transaction is open before it.
    await client.send(to, [{ value: 'the end' }]);
    await session.until(
      () => written.rows(to).at(-1)?.value,
      (value) => value === 'the end',
      'the end of the topic',
    );
    const numbers = written
      .rows(to)
      .slice(0, -1)
      .map(({ value }) => (JSON.parse(value) as { n: number }).n);
    assert.ok(numbers[0]! > 0 && numbers.length >= 30, `from ${numbers[0]}, ${numbers.length} rows`);
    assert.deepEqual(numbers, upTo(numbers[0]!, numbers[0]! + numbers.length));
  },
);

test('late records are sunk exactly once, also when their cell runs again', { skip }, async () => {
  for (const topic of ['times', 'late']) await client.createTopic(name(topic), 1);
  await using session = new LiveSession();
  session.edit(
    'times',
    `import { count, kafka, tumbling } from 'sluice';
type Row = { n: number; at: number };
const times = kafka<Row>('${name('times')}', { from: 'latest', timestamp: 'at', watermark: { outOfOrderness: '1s' } });
const counts = times.keyBy(() => 'all').window(tumbling('10s')).aggregate({ c: count() });
counts;`,
  );
  session.edit('late', `counts.late.map(({ n }) => ({ n }))${sinkTo('late')}`);
  await session.ran('times', 'late');
  session.control.dispatch({ kind: 'arm', cell: 'late', armed: true });
  await session.until(
    () => session.state('late')?.sink?.armed,
    (armed) => armed === true,
    'the armed sink',
  );
  await session.until(
    () => session.phase('times'),
    (phase) => phase === 'waiting',
    'the end of the topic',
  );
  const begin = Date.UTC(2026, 0, 31, 12);
  const send = async (numbers: readonly number[], seconds: number): Promise<void> => {
    await client.send(
      name('times'),
      numbers.map((n) => ({ value: { n, at: begin + seconds * 1_000 } })),
    );
  };
  // The windows of the first minute are closed. So everything that follows is late.
  await send([1_000], 60);
  await session.until(
    () => session.operators().map(({ watermark = 0 }) => watermark),
    // Of the source, and of the window behind it.
    (times) => times.filter((time) => time > begin + 50_000).length >= 2,
    'the time of the windows',
  );
  const sending = (async () => {
    for (let n = 0; n < 60; n++) await send([n], 5);
  })();
  for (let i = 0; i < 3; i++) {
    session.edit('late', `counts.late.map(({ n }) => ({ n: n + ${i} * 0 }))${sinkTo('late')}`);
    await session.ran('late');
  }
  await sending;
  await session.until(
    () => session.state('late')?.sink,
    (sink) => sink?.uncommittedSince === undefined && (sink?.written ?? 0) > 0,
    'no open transaction',
  );
  const rows = await committedRecords(client, broker.brokers, name('late'), 60);
  assert.deepEqual(
    rows.map(({ value }) => (JSON.parse(value) as { n: number }).n),
    upTo(0, 60),
  );
});
