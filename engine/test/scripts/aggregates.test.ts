// Scripts of the aggregates that keep more than a number: rolling, in windows, and fired again.
import { test } from 'vitest';
import {
  aggregator,
  collect,
  countDistinct,
  first,
  last,
  maxBy,
  minBy,
  quantile,
  session,
  sliding,
  stddev,
  type Stream,
  topN,
  tumbling,
  variance,
} from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Payment {
  readonly who: string;
  readonly item: string;
  readonly amount: number;
}
const all = {
  least: minBy<Payment>('amount'),
  most: maxBy<Payment>('amount'),
  from: first((payment: Payment) => payment.amount),
  to: last((payment: Payment) => payment.amount),
  spread: variance<Payment>('amount'),
  deviation: stddev<Payment>('amount'),
  median: quantile<Payment>(0.5, 'amount'),
  items: countDistinct<Payment>('item'),
  about: countDistinct<Payment>('item', { approximate: true }),
  best: topN<Payment>(2, 'amount'),
  seen: collect((payment: Payment) => payment.item),
  joined: aggregator({
    create: (): { items: string[] } => ({ items: [] }),
    add(accumulator, { item }: Payment) {
      accumulator.items.push(item);
      return accumulator;
    },
    merge: (a, b) => ({ items: [...a.items, ...b.items] }),
    result: ({ items }) => items.toSorted().join(''),
  }),
};
const names = (payments: readonly Payment[]): string => payments.map(({ item }) => item).join('');
const rounded = (n: number): number => Math.round(n * 1000) / 1000;
type Row = {
  least: Payment;
  most: Payment;
  spread: number;
  deviation: number;
  median: number;
  best: Payment[];
  seen: string[];
};
const shown = <R extends Row>(row: R) => ({
  ...row,
  least: row.least.item,
  most: row.most.item,
  spread: rounded(row.spread),
  deviation: rounded(row.deviation),
  median: Math.round(row.median),
  best: names(row.best),
  seen: row.seen.join(''),
});

test('every aggregate rolls, a row for every element', () => {
  runScript(
    (payments: Stream<Payment>) => payments.keyBy('who').aggregate(all).map(shown),
    `
    >: who item amount
    <: who least most from to spread deviation median items about best seen joined
    > 00:10 ann c 4
    < ann c c 4 4 NaN NaN 4 1 1 c c c          one element has no spread
    > 00:05 ann a 8
    < ann c a 4 8 8 2.828 4 2 2 ac ca ac
    > 00:20 bob x 1
    < bob x x 1 1 NaN NaN 1 1 1 x x x
    > 00:30 ann b 8
    < ann c a 4 8 5.333 2.309 8 3 3 ab cab abc     of equal ones, the first
    > 00:30 ann c 0
    < ann c a 4 0 14.667 3.83 4 3 3 ab cabc abcc
    | end
    = 2
    `,
  );
});

test('every aggregate works in a window that fires again for late elements', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments.keyBy('who').window(tumbling('1m')).allowedLateness('1m').aggregate(all).map(shown),
    `
    >: who item amount
    <: window who least most from to spread deviation median items about best seen joined
    > 00:30 ann c 2
    > 00:10 ann a 4
    | 01:00
    < [00:00, 01:00) ann c a 2 4 2 1.414 2 2 2 ac ca ac
    > 00:05 ann b 6
    < [00:00, 01:00) ann c b 2 6 4 2 4 3 3 ba cab abc     first and last go by arrival, not by event time
    | end
    = 0
    `,
  );
});

test('every aggregate works in sliding windows, where elements that are out of order are first and last as they came', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments.keyBy('who').window(sliding('2m', '1m')).allowedLateness('1m').aggregate(all).map(shown),
    `
    >: who item amount
    <: window who least most from to spread deviation median items about best seen joined
    > 01:30 ann c 2
    > 00:10 ann a 2
    > 01:10 ann b 6
    | 01:00
    < [-01:00, 01:00) ann a a 2 2 NaN NaN 2 1 1 a a a
    | 02:00
    < [00:00, 02:00) ann c b 2 6 5.333 2.309 2 3 3 bc cab abc
    > 00:20 ann a 7
    < [00:00, 02:00) ann c a 2 7 6.917 2.63 2 3 3 ab caba aabc
    | end
    < [01:00, 03:00) ann c b 2 6 8 2.828 2 2 2 bc cb bc
    = 0
    `,
  );
});

test('every aggregate merges where sessions do, and remembers who came first', () => {
  runScript(
    (payments: Stream<Payment>) => payments.keyBy('who').window(session('10s')).aggregate(all).map(shown),
    `
    >: who item amount
    <: window who least most from to spread deviation median items about best seen joined
    > 00:30 ann c 2
    > 00:12 ann a 2             a session of its own
    > 00:30 ann d 6
    > 00:21 ann b 6             joins the two
    | end
    < [00:12, 00:40) ann c d 2 6 5.333 2.309 2 4 4 db cadb abcd
    = 0
    `,
  );
});
