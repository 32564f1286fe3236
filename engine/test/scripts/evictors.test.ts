// Scripts of evictors: elements are dropped before or after the window function, and stay dropped.
import { test } from 'vitest';
import { count, evictor, globalWindow, session, type Stream, sum, trigger, tumbling } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Click {
  readonly who: string;
  readonly v: number;
}
const values = (key: { who: string }, _window: unknown, clicks: readonly Click[]) => [
  { ...key, all: clicks.map(({ v }) => v) },
];

test('a count evictor keeps the last elements, in the order in which they came', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).evictor(evictor.count(2)).apply(values),
    `
    >: who v
    <: who all
    > 00:30 ann 1
    > 00:10 ann 2
    > 00:20 ann 3
    > 00:20 bob 4
    | end
    < ann [2,3]
    < bob [4]
    `,
  );
});

test('aggregates and reduces are over what is left', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m'))
        .evictor(evictor.count(2))
        .aggregate({ total: sum('v'), n: count() }),
    `
    >: who v
    <: who window total n
    > 00:30 ann 1
    > 00:10 ann 2
    > 00:20 ann 4
    | end
    < ann [00:00, 01:00) 6 2
    `,
  );
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m'))
        .evictor(evictor.count(2))
        .reduce((a, b) => ({ ...b, v: a.v * 10 + b.v })),
    `
    >: who v
    <: who v
    > 00:30 ann 1
    > 00:10 ann 2
    > 00:20 ann 4
    | end
    < ann 24
    `,
  );
});

test('what has been evicted does not come back at the next firing', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m'))
        .trigger(trigger.count(2))
        .evictor(evictor.delta<Click>(10, (element, last) => last.v - element.v))
        .apply(values),
    `
    >: who v
    <: who all
    > 00:01 ann 1
    > 00:02 ann 12
    < ann [12]
    > 00:03 ann 2
    > 00:04 ann 3              nothing is far from this one, and 1 is gone
    < ann [12,2,3]
    | end
    `,
  );
});

test('a time evictor goes by timestamps, and what is exactly as old is too old', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).evictor(evictor.time('20s')).apply(values),
    `
    >: who v
    <: who all
    > 00:50 ann 1
    > 00:30 ann 2              20 s older
    > 00:30.001 ann 3
    > 00:10 ann 4
    | end
    < ann [1,3]
    `,
  );
});

test('after the window function, an evictor decides what the next firing still holds', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(globalWindow())
        .trigger(trigger.count(3))
        .evictor(evictor.count(1, { after: true }))
        .apply(values),
    `
    >: who v
    <: who all
    > 00:01 ann 1
    > 00:02 ann 2
    > 00:03 ann 3
    < ann [1,2,3]
    > 00:03 ann 4
    > 00:03 ann 5
    > 00:03 ann 6
    < ann [3,4,5,6]
    = 1
    `,
  );
});

test('an evictor that keeps nothing after a firing empties the window', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(globalWindow())
        .trigger(trigger.count(2))
        .evictor(evictor.count(0, { after: true }))
        .apply(values),
    `
    >: who v
    <: who all
    > 00:01 ann 1
    > 00:02 ann 2
    < ann [1,2]
    = 0
    > 00:03 ann 3
    > 00:03 ann 4
    < ann [3,4]
    `,
  );
});

test('an apply is called with nothing when an evictor has left nothing, and other window functions give nothing', () => {
  const far = evictor.delta<Click>(0, () => 1);
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).evictor(far).apply(values),
    `
    >: who v
    <: who all
    > 00:01 ann 1
    | end
    < ann []
    `,
  );
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).evictor(far).aggregate({ n: count() }),
    `
    >: who v
    > 00:01 ann 1
    | end
    `,
  );
});

test('sessions that merge put their elements together before anything is evicted', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks.keyBy('who').window(session('10s')).allowedLateness('1m').evictor(evictor.count(3)).apply(values),
    `
    >: who v
    <: who all
    > 00:00 ann 1
    > 00:15 ann 2
    > 00:16 ann 3
    > 00:09 ann 4
    | 00:30
    < ann [2,3,4]
    > 00:10 ann 5
    < ann [3,4,5]
    | end
    `,
  );
});
