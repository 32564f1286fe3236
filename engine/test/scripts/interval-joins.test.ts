// Scripts of interval joins: inner, left and outer.
import { test } from 'vitest';
import type { SignedDuration, Stream } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Order {
  readonly id: string;
  readonly n: number;
}
interface Payment {
  readonly orderId: string;
  readonly m: number;
}
const pair = (left: Order | undefined, right: Payment | undefined) => ({
  k: left?.id ?? right?.orderId,
  n: left?.n,
  m: right?.m,
});
const within =
  (lower: SignedDuration, upper: SignedDuration, kind?: 'left' | 'outer') =>
  (orders: Stream<Order>, payments: Stream<Payment>) => {
    const [left, right] = [orders.keyBy('id'), payments.keyBy('orderId')];
    return kind === undefined
      ? left.intervalJoin(right).between(lower, upper).select(pair)
      : left.intervalJoin(right, kind).between(lower, upper).select(pair);
  };
const columns = `
    >L: id n
    >R: orderId m
    <: time k n m`;

test('an interval join pairs what lies within both bounds, ends included', () => {
  runScript(
    within('-5s', '10s'),
    `${columns}
    >L 01:00 a 1
    >R 00:54.999 a 1          just before
    >R 00:55 a 2
    < 01:00 a 1 2             the row has the later time
    >R 01:10 a 3
    < 01:10 a 1 3
    >R 01:10.001 a 4          just after
    >R 01:00 b 5              another key
    >L 01:00 a 2
    < 01:00 a 2 2             partners by their time
    < 01:10 a 2 3
    >L 00:45 a 3              10 s before the second payment
    < 00:54.999 a 3 1
    < 00:55 a 3 2
    | end
    `,
  );
});

test('partners come by their time, those of one time in the order of arrival', () => {
  runScript(
    within('-1m', '1m'),
    `${columns}
    >R 01:20 a 1
    >R 01:10 a 2
    >R 01:20 a 3
    >R 01:00 a 4
    >R 01:10 a 5
    >L 01:15 a 1
    < 01:15 a 1 4
    < 01:15 a 1 2
    < 01:15 a 1 5
    < 01:20 a 1 1
    < 01:20 a 1 3
    | end
    `,
  );
});

test('an interval join keeps a left element for the upper bound, a right one for the lower', () => {
  runScript(
    within('-5s', '10s'),
    `${columns}
    >L 01:00 a 1
    >R 01:00 b 1
    = 2
    | 01:04.999
    = 2
    | 01:05
    = 1                       the right one has gone: left ones at 00:55 and later are all that it could meet
    | 01:09.999
    >R 01:10 a 2
    < 01:10 a 1 2
    = 2
    | 01:10
    = 1                       the left one has gone
    >R 01:10 a 3              not late, but nobody is there any more
    = 2
    | 01:15
    = 0
    `,
  );
});

test('in an interval join an element is late when it is before the watermark, not when it is at it', () => {
  runScript(
    within('-5s', '5s'),
    `${columns}
    >L 01:00 a 1
    >L 01:03 a 2
    | 01:02
    >R 01:01.999 a 1
    ! 01:01.999 a 1
    >R 01:02 a 2
    < 01:02 a 1 2
    < 01:03 a 2 2
    >L 01:00 a 3
    ! 01:00 a 3
    | end
    `,
  );
});

test('bounds that lie on one side of an element: both after, both before', () => {
  runScript(
    within('5s', '10s'),
    `${columns}
    >L 01:00 a 1
    >R 01:04 a 1
    >R 01:05 a 2
    < 01:05 a 1 2
    >R 01:10 a 3
    < 01:10 a 1 3
    = 4
    | 01:04
    = 3                       a right one meets what came before it, and need not wait
    | 01:10
    = 0
    `,
  );
  runScript(
    within('-10s', '-5s'),
    `${columns}
    >R 01:00 a 1
    >L 01:10 a 1
    < 01:10 a 1 1
    >L 01:04 a 2
    | 01:04
    = 2
    | 01:10
    = 0
    `,
  );
});

test('an element that comes when its cleanup time is at the watermark stays until the next one', () => {
  runScript(
    within('-10s', '0s', 'left'),
    `${columns}
    | 01:00
    >L 01:00 a 1
    >R 01:00 a 1
    < 01:00 a 1 1
    >L 01:00 b 2
    = 3
    | 01:01
    < 01:00 b 2 -
    = 1
    | end
    `,
  );
});

test('a left interval join emits a left element without partner once, when none can come any more', () => {
  runScript(
    within('-5s', '10s', 'left'),
    `${columns}
    >L 01:00 a 1
    >L 01:01 a 2
    >R 01:11 a 1
    < 01:11 a 2 1
    >R 01:00 b 2              nobody asks for right ones
    | 01:09.999
    | 01:10
    < 01:10 a 1 -             with its cleanup time: its own would be late downstream
    | end
    `,
  );
});

test('an outer interval join emits those of either side, by their cleanup time', () => {
  runScript(
    within('-5s', '10s', 'outer'),
    `${columns}
    >L 01:00 a 1
    >R 01:20 a 1
    >R 00:10 a 2
    >L 01:01 a 2
    | 00:14
    | 00:15
    < 00:15 a - 2
    | 01:12
    < 01:10 a 1 -
    < 01:11 a 2 -
    | end
    < 01:25 a - 1
    `,
  );
});

test('an element that is late for an interval join is emitted nowhere else', () => {
  runScript(
    within('-5s', '5s', 'outer'),
    `${columns}
    | 02:00
    >L 01:00 a 1
    ! 01:00 a 1
    | end
    `,
  );
});

test('the time of an interval join is that of the slower side', () => {
  runScript(
    within('-5s', '5s', 'left'),
    `${columns}
    >L 01:00 a 1
    |L 05:00
    |R 01:04.999
    >R 01:05 a 1
    < 01:05 a 1 1
    >L 01:04.999 b 2          behind its own side's watermark, but not behind both
    ~R idle
    < 01:09.999 b 2 -         now the left alone counts
    ~R active
    >R 01:06 b 2
    ! 01:06 b 2
    | end
    `,
  );
});

test('a stream can be joined with itself', () => {
  runScript(
    (orders: Stream<Order>) => {
      const keyed = orders.keyBy('id');
      return keyed
        .intervalJoin(keyed)
        .between('1s', '10s')
        .select((before, after) => ({ k: before.id, before: before.n, after: after.n }));
    },
    `
    >: id n
    <: k before after
    > 00:10 a 1
    > 00:15 a 2
    < a 1 2
    > 00:21 a 3
    < a 2 3
    | end
    `,
  );
});
