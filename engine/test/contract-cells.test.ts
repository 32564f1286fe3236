// The example cells of the contract on bounded inputs, as one job each. They end with the result of
// a batch computation over the same rows.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  avg,
  count,
  countWindow,
  customWindow,
  Environment,
  mapState,
  max,
  pattern,
  session,
  sliding,
  sum,
  trigger,
  tumbling,
  valueState,
} from '../index.ts';

interface Order {
  id: string;
  customer: string;
  amount: number;
  country: 'CH' | 'DE';
  createdAt: string;
}
const begin = Date.UTC(2026, 0, 31, 12);
const minute = 60_000;
const at = (millis: number): string => new Date(begin + millis).toISOString();

/** An order every seven seconds, out of order by up to four; every fifth is not paid. */
const placed: readonly Order[] = Array.from({ length: 400 }, (_, n) => ({
  id: `o${n}`,
  customer: `c${(n * 7) % 13}`,
  amount: (n * 37) % 300,
  country: n % 3 === 0 ? 'CH' : 'DE',
  createdAt: at(n * 7000 - ((n * 5) % 5) * 1000 - (n % 5) * 1000),
}));
const payments = placed
  .filter((_, n) => n % 5 !== 0)
  .map(({ id, createdAt }, n) => ({
    orderId: id,
    paid: n,
    at: new Date(Date.parse(createdAt) + (n % 30) * minute).toISOString(),
  }))
  .toSorted((a, b) => (a.at < b.at ? -1 : 1));
const millisOf = ({ createdAt }: Order): number => Date.parse(createdAt);
const byTime = placed.toSorted((a, b) => millisOf(a) - millisOf(b));
const time = { timestamp: 'createdAt', watermark: { outOfOrderness: '5s' } } as const;

function cell() {
  const environment = new Environment();
  return { environment, orders: environment.from(placed, time) };
}
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
const sums = <T>(rows: readonly T[], keyOf: (row: T) => string, valueOf: (row: T) => number): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(rows, keyOf)].map(([key, group]) => [key, group.reduce((total, row) => total + valueOf(row), 0)]),
  );

test('large: what is filtered and mapped', async () => {
  const { orders } = cell();
  const large = orders.filter((o) => o.amount > 100).map((o) => ({ ...o, chf: o.amount * 0.95 }));
  assert.deepEqual(
    await large.toArray(),
    placed.filter(({ amount }) => amount > 100).map((o) => ({ ...o, chf: o.amount * 0.95 })),
  );
});

test('windows: totals by customer and minute', async () => {
  const { orders } = cell();
  const totals = orders
    .keyBy('customer')
    .window(tumbling('1m'))
    .allowedLateness('30s')
    .aggregate({ total: sum('amount'), n: count() })
    .id('customer-totals');
  const rows = await totals.toArray();
  const keyOf = (customer: string, start: number): string => `${customer} ${start}`;
  assert.deepEqual(
    Object.fromEntries(rows.map((row) => [keyOf(row.customer, row.windowStart.getTime()), row.total])),
    sums(
      placed,
      (o) => keyOf(o.customer, Math.floor(millisOf(o) / minute) * minute),
      (o) => o.amount,
    ),
  );
  assert.equal(
    rows.reduce((n, row) => n + row.n, 0),
    placed.length,
  );
});

test('windows: sliding averages', async () => {
  const { orders } = cell();
  const rows = await orders
    .keyBy('country')
    .window(sliding('10m', '1m'))
    .aggregate({ avg: avg('amount') })
    .toArray();
  for (const { country, windowStart, windowEnd, avg: average } of rows) {
    const inside = placed.filter(
      (o) => o.country === country && millisOf(o) >= +windowStart && millisOf(o) < +windowEnd,
    );
    assert.ok(Math.abs(average - inside.reduce((total, { amount }) => total + amount, 0) / inside.length) < 1e-9);
  }
  const starts = new Set(
    placed.flatMap((o) => Array.from({ length: 10 }, (_, i) => `${o.country} ${Math.floor(millisOf(o) / minute) - i}`)),
  );
  assert.equal(rows.length, starts.size);
});

test('windows: sessions of clicks', async () => {
  const environment = new Environment();
  const clicks = environment.generate(
    { rate: 20_000, limit: 2_000, seed: 7, timestamp: 'at' },
    // eslint-disable-next-line @typescript-eslint/unbound-method -- as the contract's cell has it
    ({ n, random, now }) => ({
      n,
      user: `u${Math.floor(random() * 10)}`,
      at: now,
    }),
  );
  const rows = await clicks.keyBy('user').window(session('30s')).aggregate({ clicks: count() }).toArray();
  assert.equal(rows.length, 10);
  assert.equal(
    rows.reduce((total, row) => total + row.clicks, 0),
    2_000,
  );
});

test('windows: every hundred elements of a key, and of everything', async () => {
  const { orders } = cell();
  const rows = await orders
    .keyBy('country')
    .window(countWindow(100))
    .aggregate({ max: max((o) => o.amount) })
    .toArray();
  const expected = (['CH', 'DE'] as const).flatMap((country) => {
    const all = placed.filter((o) => o.country === country);
    return Array.from({ length: Math.floor(all.length / 100) }, (_, i) => ({
      country,
      max: Math.max(...all.slice(i * 100, i * 100 + 100).map(({ amount }) => amount)),
    }));
  });
  assert.deepEqual(sorted(rows.map(({ country, max: most }) => ({ country, max: most }))), sorted(expected));
});

test('windows: early results end in the final ones', async () => {
  const { orders } = cell();
  const rows = await orders
    .keyBy('country')
    .window(tumbling('1h'))
    .trigger(trigger.early('10s'))
    .aggregate({ n: count() })
    .toArray();
  const last = new Map(rows.map((row) => [`${row.country} ${row.windowStart.toISOString()}`, row.n]));
  assert.deepEqual(
    Object.fromEntries(last),
    sums(
      placed,
      (o) => `${o.country} ${new Date(Math.floor(millisOf(o) / 3_600_000) * 3_600_000).toISOString()}`,
      () => 1,
    ),
  );
  assert.ok(rows.length > 100, `${rows.length} rows, early ones among them`);
});

test('windows: shifts of eight hours', async () => {
  const { orders } = cell();
  const shift = 28_800_000;
  const rows = await orders
    .windowAll(customWindow<Order>({ assign: (_, t) => [{ start: t - (t % shift), end: t - (t % shift) + shift }] }))
    .aggregate({ n: count() })
    .toArray();
  const expected = sums(
    placed,
    (o) => String(millisOf(o) - (millisOf(o) % shift)),
    () => 1,
  );
  assert.deepEqual(Object.fromEntries(rows.map((row) => [String(+row.windowStart), row.n])), expected);
});

test('joins: orders and their payments, by interval and by window', async () => {
  const { environment, orders } = cell();
  const paid = orders
    .keyBy('id')
    .intervalJoin(environment.from(payments, { timestamp: 'at' }).keyBy('orderId'))
    .between('-1m', '15m')
    .select((o, p) => ({ ...o, paid: p.paid }));
  const pairs = placed.flatMap((o) => {
    const payment = payments.find(({ orderId }) => orderId === o.id);
    return payment ? [{ o, payment, after: Date.parse(payment.at) - millisOf(o) }] : [];
  });
  assert.deepEqual(
    sorted(await paid.toArray()),
    sorted(pairs.filter(({ after }) => after <= 15 * minute).map(({ o, payment }) => ({ ...o, paid: payment.paid }))),
  );

  const second = cell();
  const together = second.orders
    .keyBy('id')
    .join(second.environment.from(payments, { timestamp: 'at' }).keyBy('orderId'), 'left')
    .window(tumbling('1m'))
    .select((o, p) => ({ id: o?.id, paid: p?.paid ?? 0 }));
  const minuteOf = (millis: number): number => Math.floor(millis / minute);
  assert.deepEqual(
    sorted(await together.toArray()),
    sorted(
      placed.map((o) => {
        const payment = payments.find(({ orderId }) => orderId === o.id);
        const isInside = payment && minuteOf(Date.parse(payment.at)) === minuteOf(millisOf(o));
        return { id: o.id, paid: isInside ? payment.paid : 0 };
      }),
    ),
  );
});

test('joins: orders with the tier that a customer had at that time', async () => {
  const { environment, orders } = cell();
  const tiers = Array.from({ length: 26 }, (_, n) => ({
    id: `c${n % 13}`,
    tier: n < 13 ? ('basic' as const) : ('gold' as const),
    from: n < 13 ? begin - 10 * minute : begin + 20 * minute + n,
  }));
  const customers = environment.from(tiers, { timestamp: 'from' }).keyBy('id').toTable();
  const enriched = orders
    .keyBy('customer')
    .temporalJoin(customers)
    .select((o, c) => ({ ...o, tier: c?.tier ?? 'basic' }));
  const versionOf = (o: Order) => tiers.findLast(({ id, from }) => id === o.customer && from <= millisOf(o))!;
  assert.deepEqual(sorted(await enriched.toArray()), sorted(placed.map((o) => ({ ...o, tier: versionOf(o).tier }))));
});

test('abandoned: customers that have been silent for half an hour', async () => {
  const { orders } = cell();
  const abandoned = orders.keyBy('customer').process({
    state: { last: valueState<Order>({ ttl: '1d' }) },
    *onElement(order, { state, timers, timestamp }) {
      state.last.set(order);
      timers.eventTime(timestamp + 30 * minute);
      if (order.amount < 0) yield { customer: order.customer, reason: 'negative' };
    },
    *onTimer(_at, { key, state }) {
      const last = state.last.get();
      if (last) yield { customer: key.customer, reason: `idle since ${last.id}` };
    },
  });
  const rows = await abandoned.toArray();
  // Every order sets a timer, independent of later orders.
  assert.deepEqual(
    Object.fromEntries(
      Map.groupBy(rows, ({ customer }) => customer)
        .entries()
        .map(([customer, of]) => [customer, of.length]),
    ),
    Object.fromEntries(
      Map.groupBy(placed, ({ customer }) => customer)
        .entries()
        .map(([customer, of]) => [customer, of.length]),
    ),
  );
});

test('rules: limits that are broadcast', async () => {
  const { environment, orders } = cell();
  const rules = environment
    .from([
      { country: 'CH', limit: 150 },
      { country: 'DE', limit: 250 },
    ])
    .broadcast();
  const alerts = orders.connect(rules).process({
    broadcast: { limits: mapState<string, number>() },
    onBroadcast(rule, { broadcast }) {
      broadcast.limits.set(rule.country, rule.limit);
    },
    *onElement(order, { broadcast }) {
      const limit = broadcast.limits.get(order.country);
      // The sides may come in any order. At the end both have been read.
      if (limit === undefined || order.amount > limit) yield { order, limit };
    },
  });
  const limits = { CH: 150, DE: 250 };
  const rows = await alerts.toArray();
  for (const { order, limit } of rows)
    if (limit !== undefined) assert.ok(order.amount > limits[order.country] && limit === limits[order.country]);
  const alerted = new Set(rows.map(({ order }) => order.id));
  for (const { id, amount, country } of placed) if (amount > limits[country]) assert.ok(alerted.has(id), id);
});

test('halved: what goes round until it is small', async () => {
  const { orders } = cell();
  const halved = orders.iterate(
    (loop) => {
      const next = loop.map((o) => ({ ...o, amount: o.amount / 2 }));
      return { feedback: next.filter((o) => o.amount >= 1), output: next.filter((o) => o.amount < 1) };
    },
    { maxRounds: 64 },
  );
  const half = (amount: number): number => (amount / 2 < 1 ? amount / 2 : half(amount / 2));
  assert.deepEqual(sorted(await halved.toArray()), sorted(placed.map((o) => ({ ...o, amount: half(o.amount) }))));
});

test('fraud: a small order and then a big one within ten minutes', async () => {
  const { orders } = cell();
  const fraud = orders
    .keyBy('customer')
    .pattern(
      pattern<Order>('small')
        .where((o) => o.amount < 40)
        .followedBy('big')
        .where((o) => o.amount > 200)
        .within('10m'),
    )
    .select((m) => ({ customer: m.small![0]!.customer, small: m.small![0]!.id, big: m.big![0]!.id }));
  const expected = byTime.flatMap((small, i) => {
    if (small.amount >= 40) return [];
    const big = byTime.slice(i + 1).find((o) => o.customer === small.customer && o.amount > 200);
    const isInTime = big && millisOf(big) - millisOf(small) < 10 * minute;
    return isInTime ? [{ customer: small.customer, small: small.id, big: big.id }] : [];
  });
  assert.ok(expected.length > 3, `${expected.length} matches`);
  assert.deepEqual(sorted(await fraud.toArray()), sorted(expected));
});
