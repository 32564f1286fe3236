// Scripts of window joins and coGroup, over every kind of window.
import { test } from 'vitest';
import {
  countWindow,
  customWindow,
  session,
  sliding,
  type Stream,
  trigger,
  tumbling,
  type WindowAssigner,
} from '../../index.ts';
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
const columns = `
    >L: id n
    >R: orderId m
    <: time k n m`;

const inWindow =
  (kind: 'inner' | 'left' | 'outer', window: WindowAssigner<Order | Payment> = tumbling('1m')) =>
  (orders: Stream<Order>, payments: Stream<Payment>) =>
    orders.keyBy('id').join(payments.keyBy('orderId'), kind).window(window).select(pair);

test('a window join pairs the elements of one key and window when it fires, left by left', () => {
  runScript(
    inWindow('inner'),
    `${columns}
    >L 00:10 a 1
    >R 00:50 a 1
    >R 00:20 a 2
    >L 00:05 a 2
    >L 01:00 a 3              another window
    >R 00:30 b 3              another key
    | 00:59.999
    < 00:59.999 a 1 1         in the order of arrival
    < 00:59.999 a 1 2
    < 00:59.999 a 2 1
    < 00:59.999 a 2 2
    | end
    `,
  );
});

test('a left window join emits what has no partner when the window closes; an outer one of either side', () => {
  const script = (others: string) => `${columns}
    >L 00:10 a 1
    >L 00:20 a 2
    >R 00:10 b 1
    >R 00:20 b 2
    >L 00:10 c 5
    >R 00:10 c 6
    | 01:00
    < 00:59.999 a 1 -
    < 00:59.999 a 2 -
    ${others}
    < 00:59.999 c 5 6
    | end
    `;
  runScript(inWindow('left'), script(''));
  runScript(inWindow('outer'), script('< 00:59.999 b - 1\n    < 00:59.999 b - 2'));
});

test('in sliding windows a pair is emitted for every window that holds both', () => {
  runScript(
    inWindow('outer', sliding('1m', '30s')),
    `${columns}
    >L 00:10 a 1
    >R 00:40 a 1
    | 00:30
    < 00:29.999 a 1 -
    | 01:00
    < 00:59.999 a 1 1
    | end
    < 01:29.999 a - 1
    `,
  );
});

test('an element is late for a window join when its window has closed', () => {
  runScript(
    inWindow('outer'),
    `${columns}
    >L 00:10 a 1
    |L 01:00
    >R 00:20 a 1              the right side is not that far
    |R 01:00
    < 00:59.999 a 1 1
    >R 00:59 a 2
    ! 00:59 a 2
    >L 00:59 a 3
    ! 00:59 a 3
    | end
    `,
  );
});

test('a session is one of both sides: elements of either join its windows together', () => {
  runScript(
    inWindow('outer', session('30s')),
    `${columns}
    >L 00:00 a 1
    >R 00:20 a 1
    >L 01:00 a 2              40 s later: a session of its own, so far
    >L 03:00 a 3
    >R 05:00 a 3
    >R 00:40 a 2              lies between: one session from 00:00 to 01:30
    = 6                       three sessions and the timers that close them
    | 01:29
    | 01:30
    < 01:29.999 a 1 1
    < 01:29.999 a 1 2
    < 01:29.999 a 2 1
    < 01:29.999 a 2 2
    >R 00:59 a 4
    ! 00:59 a 4
    >R 01:00 a 5
    ! 01:00 a 5               would have lasted until 01:30, and that is over
    >R 01:00.002 b 6          until 01:30.002: not over
    | end
    < 01:30.001 b - 6
    < 03:29.999 a 3 -
    < 05:29.999 a - 3
    `,
  );
});

test('the gap of a session can be a function of the element, of either side', () => {
  runScript(
    inWindow(
      'left',
      session((element) => ('n' in element ? '10s' : '1m')),
    ),
    `${columns}
    >L 00:00 a 1
    >L 00:30 a 2
    >R 00:05 a 1              lasts until 01:05
    | end
    < 01:04.999 a 1 1
    < 01:04.999 a 2 1
    `,
  );
});

test('custom windows, which may merge', () => {
  const perSide = customWindow<Order | Payment>({
    assign: (element, timestamp) => [{ start: timestamp, end: timestamp + ('n' in element ? 1000 : 5000) }],
    merging: true,
  });
  runScript(
    inWindow('outer', perSide),
    `${columns}
    >L 00:01 a 1
    >R 00:00 a 1
    >L 00:06 a 2
    | end
    < 00:04.999 a 1 1
    < 00:06.999 a 2 -
    `,
  );
});

test('a count window counts the elements of both sides', () => {
  runScript(
    inWindow('outer', countWindow(3)),
    `${columns}
    >L 00:01 a 1
    >R 00:02 a 1
    >R 00:03 b 7
    >L 00:04 a 2
    < a 1 1
    < a 2 1
    >R 00:05 a 2
    >R 00:06 a 3
    >R 00:07 a 4
    < a - 2
    < a - 3
    < a - 4
    | end
    = 2                       the one of b waits for two more
    `.replace('<: time k n m', '<: k n m'),
  );
});

test('windows of processing time close by the clock', () => {
  runScript(
    inWindow('left', tumbling('10s', { time: 'processing' })),
    `${columns}
    >L 59:00 a 1
    @ 00:05
    >R 00:00 a 1
    >L 00:00 b 2
    @ 00:09.998
    @ 00:10
    < 00:09.999 a 1 1
    < 00:09.999 b 2 -
    | end
    `,
  );
});

test('a trigger of its own gives the pairs that there are, each time', () => {
  const early = customWindow<Order | Payment>({
    assign: () => [{ start: 0, end: 60_000 }],
    trigger: trigger.count(2),
  });
  runScript(
    inWindow('inner', early),
    `${columns}
    >L 00:01 a 1
    >R 00:02 a 1
    < 00:59.999 a 1 1
    >R 00:03 a 2
    >L 00:04 a 2
    < 00:59.999 a 1 1
    < 00:59.999 a 1 2
    < 00:59.999 a 2 1
    < 00:59.999 a 2 2
    | end
    `,
  );
  const batches = customWindow<Order | Payment>({
    assign: () => [{ start: 0, end: 60_000 }],
    trigger: trigger.purging(trigger.count(2)),
  });
  runScript(
    inWindow('outer', batches),
    `${columns}
    >L 00:01 a 1
    >L 00:02 a 2
    < 00:59.999 a 1 -
    < 00:59.999 a 2 -
    >R 00:03 a 3
    >L 00:04 a 4
    < 00:59.999 a 4 3
    | end
    `,
  );
});

test('coGroup gives both sides of a key and window to one function', () => {
  runScript(
    (orders: Stream<Order>, payments: Stream<Payment>) =>
      orders
        .keyBy('id')
        .coGroup(payments.keyBy('orderId'))
        .window(tumbling('1m'))
        .apply(function* (key, left, right, bounds) {
          yield { ...key, ...bounds, left: left.map(({ n }) => n), right: right.map(({ m }) => m) };
          if (right.length === 0) yield { ...key, missing: left.length };
        }),
    `
    >L: id n
    >R: orderId m
    <: id window left right
    >R 00:10 a 1
    >L 00:10 a 1
    >L 00:20 a 2
    >L 00:10 b 3
    >R 00:10 c 4
    | 01:00
    < a [00:00, 01:00) [1,2] [1]
    < b [00:00, 01:00) [3] []
    < b - - - missing=1
    < c [00:00, 01:00) [] [4]
    | end
    `,
  );
});

test('keys are equal if their values are, whatever the names of their fields', () => {
  runScript(
    (left: Stream<{ shop: string; day: number; n: number }>, right: Stream<{ d: number; s: string; m: number }>) =>
      left
        .keyBy('shop', 'day')
        .coGroup(right.keyBy(({ s, d }): { x: string; y: number } => ({ y: d, x: s })))
        .window(tumbling('1m'))
        .apply((key, lefts, rights) => [{ ...key, sum: [...lefts.map(({ n }) => n), ...rights.map(({ m }) => m)] }]),
    `
    >L: shop day n
    >R: s d m
    <: shop day sum
    >R 00:10 z 1 10
    >L 00:10 z 1 1
    >R 00:20 z 2 20           only the right has it, and still it has the names of the left
    >L 00:20 y 1 2
    | end
    < z 1 [1,10]
    < z 2 [20]
    < y 1 [2]
    `,
  );
});
