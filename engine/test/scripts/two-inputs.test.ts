// Scripts of operators with two inputs: union, connect with map, connect with process.
import { test } from 'vitest';
import { count, type Stream, tumbling, valueState } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

test('union gives the rows of both, and its time is that of the slower one', () => {
  runScript(
    (left: Stream<{ n: number }>, right: Stream<{ n: number }>) =>
      left.union(right).windowAll(tumbling('1m')).aggregate({ n: count() }),
    `
    >L: n
    >R: n
    <: window n
    >L 00:10 1
    >R 00:20 2
    |L 01:00                  the right may still bring something
    >R 00:30 3
    |R 00:59
    |R 01:00
    < [00:00, 01:00) 3
    >L 01:10 4
    |L 02:00
    ~R idle                   a silent one is not waited for
    < [01:00, 02:00) 1
    | end
    `,
  );
});

test('connect with map: each side by its own function', () => {
  runScript(
    (orders: Stream<{ id: string }>, prices: Stream<number>) =>
      orders.connect(prices).map(
        ({ id }) => `order ${id}`,
        (price) => `price ${price}`,
      ),
    `
    >L: id
    <: time what
    >L 00:10 a
    < 00:10 "order a"
    >R 00:05 7
    < 00:05 "price 7"
    |L 01:00
    >R 00:06 8
    < 00:06 "price 8"
    | end
    `,
  );
});

test('the time of two connected inputs is that of the slower one', () => {
  runScript(
    (left: Stream<number>, right: Stream<number>) =>
      left
        .connect(right)
        .map(
          (n) => ({ n }),
          (n) => ({ n }),
        )
        .windowAll(tumbling('1m'))
        .aggregate({ n: count() }),
    `
    <: window n
    >L 00:10 1
    |L 05:00
    >R 00:20 1
    |R 00:30
    |R 01:30
    < [00:00, 01:00) 2
    ~R idle                   now the left alone counts
    >R 01:40 1                too late for it
    ! 01:40 n=1               as the map made it
    `,
  );
});

interface Rate {
  readonly currency: string;
  readonly rate: number;
}
interface Sale {
  readonly currency: string;
  readonly amount: number;
}
/** Sales wait for the rate of their currency, at most a minute of event time. */
const converted = (sales: Stream<Sale>, rates: Stream<Rate>) =>
  sales
    .connect(rates)
    .keyBy(
      (sale) => sale.currency,
      (rate) => rate.currency,
    )
    .process({
      state: { rate: valueState<number>(), waiting: valueState<readonly number[]>() },
      *onLeft({ amount }, { key, state, timers, timestamp }) {
        const rate = state.rate.get();
        if (rate !== undefined) {
          yield { currency: key.key, euros: amount * rate };
          return;
        }
        state.waiting.set([...(state.waiting.get() ?? []), amount]);
        timers.eventTime(timestamp + 60_000);
      },
      *onRight({ rate }, { key, state }) {
        state.rate.set(rate);
        for (const amount of state.waiting.get() ?? []) yield { currency: key.key, euros: amount * rate };
        state.waiting.clear();
      },
      *onTimer(_at, { key, state }) {
        if (state.waiting.get()) yield { currency: key.key, euros: NaN };
        state.waiting.clear();
      },
    });

test('connect with process: both sides share the state of a key, and timers go by the slower side', () => {
  runScript(
    converted,
    `
    >L: currency amount
    >R: currency rate
    <: currency euros
    >L 00:10 usd 10
    >L 00:11 usd 20
    >L 00:12 chf 5
    >R 00:13 usd 0.5
    < usd 5
    < usd 10                  in the order they waited
    >L 00:14 usd 4
    < usd 2
    |L 02:00
    |R 01:11
    |R 01:12
    < chf NaN                 nobody said what a franc is
    = 1                       the rate of the dollar
    >R 01:30 chf 1
    >L 01:31 chf 5
    < chf 5
    = 2
    `,
  );
});
