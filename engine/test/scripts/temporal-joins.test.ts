// Scripts of a stream joined with a table: the version at the element's event time, or the latest
// one on arrival.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness2, runScript } from '../../testing/index.ts';

interface Order {
  readonly id: number;
  readonly currency: string;
}
interface Rate {
  readonly currency: string;
  /** null: the currency is no more. */
  readonly rate: number | null;
}
const joined = (time?: 'event' | 'arrival') => (orders: Stream<Order>, rates: Stream<Rate>) =>
  orders
    .keyBy('currency')
    .temporalJoin(
      rates
        .keyBy('currency')
        .toTable()
        .filter(({ rate }) => rate !== null),
      time && { time },
    )
    .select((order, rate) => ({ id: order.id, rate: rate?.rate ?? 'none' }));

test('by event time an element gets the version that is valid at its time, when the table has got there', () => {
  runScript(
    joined(),
    `
    >L: id currency
    >R: currency rate
    <: time id rate
    >R 00:10 usd 1
    >L 00:05 1 usd                     before there was a rate
    >L 00:10 2 usd                     at its very time
    >L 00:25 3 usd
    >L 00:35 4 usd
    >R 00:30 usd 3
    >R 00:20 usd 2                     out of order
    |L 00:40                           the table may still say something
    |R 00:09.999
    < 00:05 1 none
    |R 00:24.999
    < 00:10 2 1
    |R 00:25
    < 00:25 3 2
    |R 00:40
    < 00:35 4 3
    >L 00:41 5 usd
    >R 00:41 usd 9                     the last one of a time counts
    >R 00:41 usd 4
    | 00:50
    < 00:41 5 4
    = 2                                the row of the table, and the version that is valid
    | end
    = 1
    `,
  );
});

test('elements of one key come in the order of arrival, as in Flink', () => {
  runScript(
    joined(),
    `
    >L: id currency
    >R: currency rate
    <: time id rate
    >L 00:20 1 usd
    >L 00:10 2 usd
    >L 00:30 3 usd
    >L 00:15 4 usd
    >R 00:12 usd 7
    | 00:20
    < 00:20 1 7
    < 00:10 2 none
    < 00:15 4 7
    | 00:30
    < 00:30 3 7
    | end
    = 1
    `,
  );
});

test('a deletion is a version without a row', () => {
  runScript(
    joined('event'),
    `
    >L: id currency
    >R: currency rate
    <: time id rate
    >R 00:10 usd 1
    >R 00:20 usd null
    >R 00:30 usd 3
    >L 00:15 1 usd
    >L 00:20 2 usd
    >L 00:29 3 usd
    >L 00:30 4 usd
    | 00:35
    < 00:15 1 1
    < 00:20 2 none
    < 00:29 3 none
    < 00:30 4 3
    >R 00:40 usd null
    | 00:40
    = 1                                it is gone for good; the row stands in front of the filter
    >L 00:41 5 usd
    | 00:45
    < 00:41 5 none
    = 1
    >R 00:44 chf null                  a late one, of a key that was never there
    = 3
    | 00:46
    = 2
    `,
  );
});

test('a late element waits for the next watermark, and gets the version that is kept if that one is valid at its time', () => {
  runScript(
    joined(),
    `
    >L: id currency
    >R: currency rate
    <: time id rate
    >R 00:10 usd 1
    >R 00:20 usd 2
    | 00:30
    = 2                                of the versions only the latest is kept
    >L 00:15 1 usd                     its version has gone
    >L 00:25 2 usd
    | 00:30                            nothing new
    | 00:31
    < 00:15 1 none
    < 00:25 2 2
    >R 00:26 usd 3                     a late change counts from its time on
    >R 00:05 usd 9                     an older one than what is kept goes with the next watermark
    >L 00:28 3 usd
    | 00:40
    < 00:28 3 3
    = 2
    | end
    = 1
    `,
  );
});

test('each key is joined with its own rows, and a key without a row in the table gets none', () => {
  runScript(
    joined(),
    `
    >L: id currency
    >R: currency rate
    <: id rate
    >L 00:20 1 usd
    >L 00:10 2 chf
    >L 00:05 3 eur
    >R 00:01 usd 1
    >R 00:02 chf 2
    | 00:30
    < 3 none
    < 2 2
    < 1 1
    ~R idle                            a table that is silent is not waited for
    >L 00:50 4 chf
    |L 00:50
    < 4 2
    | end
    = 2
    `,
  );
});

test('on arrival an element gets the latest version at once, whatever the times are', () => {
  runScript(
    joined('arrival'),
    `
    >L: id currency
    >R: currency rate
    <: time id rate
    >L 00:10 1 usd
    < 00:10 1 none
    >R 00:20 usd 1
    >L 00:05 2 usd
    < 00:05 2 1
    >R 00:15 usd 2                     earlier, but later to arrive
    >L 00:30 3 usd
    < 00:30 3 2
    >R 00:31 usd null
    >L 00:32 4 usd
    < 00:32 4 none
    >R 00:33 usd 5
    = 2
    | end
    >L 00:34 5 usd
    < 00:34 5 5
    = 2                                a table lives on
    `,
  );
});

test('keys of several values, and of dates, are compared by value', () => {
  const day = (n: number): Date => new Date(Date.UTC(2024, 0, n));
  for (const time of ['event', 'arrival'] as const) {
    const driven = harness2(
      (
        orders: Stream<{ n: number; day: Date; zone: number }>,
        plans: Stream<{ at: Date; area: number; plan: string }>,
      ) =>
        orders
          .keyBy('day', 'zone')
          .temporalJoin(plans.keyBy('at', 'area').toTable(), { time })
          .select((order, plan) => `${order.n} ${plan?.plan}`),
    );
    driven.right({ at: day(1), area: 0, plan: 'a' }, 1);
    driven.right({ at: day(2), area: 0, plan: 'b' }, 1);
    driven.left({ n: 1, day: day(2), zone: -0 }, 2);
    driven.left({ n: 2, day: day(2), zone: 1 }, 2);
    driven.leftWatermark(10);
    driven.rightWatermark(10);
    assert.deepEqual(
      driven.output().map((item) => 'element' in item && item.element),
      ['1 b', '2 undefined'],
    );
    driven.close();
  }
});

test('a key that is none, a row that is no data and a select that throws are named', () => {
  const build =
    (time: 'event' | 'arrival') => (orders: Stream<{ id?: number }>, rates: Stream<{ id: number; rate: unknown }>) =>
      orders
        .keyBy('id')
        .temporalJoin(
          rates
            .keyBy('id')
            .toTable()
            .map(({ rate }) => (rate === 'class' ? new (class Money {})() : rate)),
          { time },
        )
        .select((order, rate) => {
          if (rate === 'bad') throw new Error('a bad rate');
          return order;
        });
  for (const time of ['event', 'arrival'] as const) {
    const first = harness2(build(time));
    assert.throws(() => first.left({}), /The key field "id" is undefined/);
    first.close();
    const second = harness2(build(time));
    assert.throws(
      () => second.right({ id: 1, rate: 'class' }),
      /A row of the table of "temporalJoin" is an object of class Money/,
    );
    second.close();
    const third = harness2(build(time));
    assert.throws(() => {
      third.right({ id: 1, rate: 'bad' });
      third.left({ id: 1 });
      third.leftWatermark(10);
      third.rightWatermark(10);
    }, /a bad rate/);
    third.close();
  }
});
