// Scripts of the operators for one element at a time: map, filter, flatMap, union, take,
// assignTimestamps.
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}

test('map gives a row for every element, at its time', () => {
  runScript(
    (orders: Stream<Order>) => orders.map(({ id, amount }) => ({ id, cents: amount * 100 })),
    `
    >: id amount
    <: time id cents
    > 00:10 a 5
    < 00:10 a 500
    > 00:05 b 0.5
    < 00:05 b 50          order of arrival, whatever the times are
    | 00:30
    > 00:20 c 1
    < 00:20 c 100         it knows nothing of late
    | end
    `,
  );
});

test('filter lets through what the predicate holds for, at its time', () => {
  runScript(
    (orders: Stream<Order>) => orders.filter(({ amount }) => amount > 2),
    `
    >: id amount
    <: time id amount
    > 00:10 a 5
    < 00:10 a 5
    > 00:11 b 2           not more than two
    > 00:12 c 3
    < 00:12 c 3
    | end
    `,
  );
});

test('flatMap gives none, one or many rows, all at the time of the element and in the order they were made', () => {
  runScript(
    (texts: Stream<string>) => texts.flatMap((text) => text.split('-').filter((word) => word !== '')),
    `
    <: time word
    > 00:01 to-be-or-not-to-be
    < 00:01 to
    < 00:01 be
    < 00:01 or
    < 00:01 not
    < 00:01 to
    < 00:01 be
    > 00:02 --            no word
    > 00:03 x
    < 00:03 x
    | end
    `,
  );
});

test('flatMap gives more rows than any channel holds', () => {
  const rows = Array.from({ length: 200 }, (_, n) => `< ${n}`).join('\n');
  runScript(
    (counts: Stream<number>) => counts.flatMap((count) => Array.from({ length: count }, (_, n) => n)),
    `
    > 00:01 200
    ${rows}
    > 00:02 1
    < 0
    | end
    `,
  );
});

test('map, filter and flatMap behind each other give what they give one by one', () => {
  runScript(
    (numbers: Stream<number>) =>
      numbers
        .map((n) => n + 1)
        .filter((n) => n % 2 === 0)
        .flatMap((n) => [n, -n])
        .map((n) => n * 10),
    `
    > 00:01 1
    < 20
    < -20
    > 00:02 2             three is odd
    > 00:03 3
    < 40
    < -40
    `,
  );
});

test('union of a stream with what was made of it gives the rows of both', () => {
  runScript(
    (numbers: Stream<number>) => numbers.filter((n) => n < 10).union(numbers.filter((n) => n >= 10)),
    `
    <: time n
    > 00:01 5
    < 00:01 5
    > 00:02 12
    < 00:02 12
    | end
    `,
  );
});

test('take gives the first rows and no more', () => {
  runScript(
    (numbers: Stream<number>) => numbers.take(2),
    `
    > 00:01 7
    < 7
    > 00:02 8
    < 8
    > 00:03 9             it had enough
    | 00:04
    > 00:05 10
    `,
  );
});

test('take behind an endless flatMap ends it', () => {
  runScript(
    (numbers: Stream<number>) =>
      numbers
        .flatMap(function* (n) {
          for (;;) yield n++;
        })
        .take(3),
    `
    > 00:01 7
    < 7
    < 8
    < 9
    > 00:02 1             it had enough
    `,
  );
});

interface Reading {
  readonly at: string;
  readonly n: number;
}
test('assignTimestamps gives each element the time that it names, and time of its own making', () => {
  runScript(
    (readings: Stream<Reading>) => readings.assignTimestamps('at', { outOfOrderness: '10s' }),
    `
    >: at n
    <: time at n
    > 00:00 1970-01-01T00:01:00Z 1
    < 01:00 1970-01-01T00:01:00Z 1
    > 00:00 1970-01-01T00:00:55Z 2
    < 00:55 1970-01-01T00:00:55Z 2      out of order, within the bound
    | 05:00
    > 06:00 1970-01-01T00:02:00Z 3
    < 02:00 1970-01-01T00:02:00Z 3      what came with the element is forgotten
    | end
    `,
  );
});
