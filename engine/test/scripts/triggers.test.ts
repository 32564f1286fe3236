// Scripts of count windows, global windows and triggers: when they fire, with which elements, and
// what they purge.
import { test } from 'vitest';
import { count, countWindow, globalWindow, sliding, type Stream, sum, trigger, tumbling } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Click {
  readonly who: string;
  readonly v: number;
}
const values = (key: { who: string }, _window: unknown, clicks: readonly Click[]) => [
  { ...key, all: clicks.length === 1 ? clicks[0]!.v : clicks.map(({ v }) => v).join('-') },
];

test('a count window gives its result at every nth element of a key, and begins anew', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(countWindow(3)).apply(values),
    `
    >: who v
    <: who all
    > 00:00 ann 1
    > 59:00 bob 2
    > 00:00 ann 3
    | 30:00
    > 00:00 ann 4              nothing is ever late
    < ann 1-3-4
    = 2                        of bob: what came, and the count
    > 00:00 bob 5
    > 00:00 bob 6
    < bob 2-5-6
    = 0
    `,
  );
});

test('a sliding count window looks back over the last elements', () => {
  const everything = '[-271821-04-20T00:00:00.000Z, +275760-09-13T00:00:00.000Z)';
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(countWindow(3, 2))
        .aggregate({ total: sum('v'), n: count() }),
    `
    >: who v
    <: who window total n
    > 00:00 ann 1
    > 00:00 ann 2
    < ann ${everything} 3 2
    > 00:00 ann 4
    > 00:00 ann 8
    < ann ${everything} 14 3
    = 1
    `,
  );
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(countWindow(3, 2)).apply(values),
    `
    >: who v
    <: time who all
    > 00:00 ann 1
    > 00:00 ann 2
    < +275760-09-13T00:00:00.000Z ann 1-2
    > 00:00 ann 3
    > 00:00 ann 4
    < +275760-09-13T00:00:00.000Z ann 2-3-4
    > 00:00 ann 5
    > 00:00 ann 6
    < +275760-09-13T00:00:00.000Z ann 4-5-6
    = 1                        the last elements are kept for good
    `,
  );
});

test('a global window without a trigger never fires', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(globalWindow()).aggregate({ n: count() }),
    `
    >: who v
    > 00:00 ann 1
    > 00:01 ann 1
    | end
    = 1
    `,
  );
});

test('a global window with a count fires again with all that came', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .windowAll(globalWindow())
        .trigger(trigger.count(2))
        .reduce((a, b) => ({ ...b, v: a.v + b.v })),
    `
    >: who v
    <: who v
    > 00:00 ann 1
    > 00:01 bob 2
    < bob 3
    > 00:01 eve 4
    > 00:01 ann 8
    < ann 15
    = 1
    `,
  );
});

test('a global window by event time gives its one result where time ends', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(globalWindow()).trigger(trigger.eventTime()).apply(values),
    `
    >: who v
    <: who all
    > 00:00 ann 1
    | 59:00
    > 00:01 ann 2
    | end
    < ann 1-2
    `,
  );
});

test('an early trigger fires at multiples of its time above the first element, and at the end of the window', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks.keyBy('who').window(tumbling('1m')).allowedLateness('10s').trigger(trigger.early('20s')).apply(values),
    `
    >: who v
    <: time who all
    > 00:05 ann 1
    | 00:19.999
    | 00:20
    < 00:59.999 ann 1
    > 00:25 ann 2
    > 00:15 ann 3
    | 00:40
    < 00:59.999 ann 1-2-3
    > 00:50 ann 4
    | 00:59.999
    < 00:59.999 ann 1-2-3-4    armed at 00:59.999 and not at 01:00
    > 00:59 ann 5
    < 00:59.999 ann 1-2-3-4-5   late, and at once
    | 01:09.999
    > 00:59 ann 6
    ! 00:59 ann 6
    `,
  );
});

test('an early trigger fires for every time that one watermark passes', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).trigger(trigger.early('20s')).apply(values),
    `
    >: who v
    <: who all
    > 00:05 ann 1
    | end
    < ann 1
    < ann 1
    < ann 1
    `,
  );
});

test('before 1970 the first early time is above the multiple nearer to zero', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).trigger(trigger.early('20s')).apply(values),
    `
    >: who v
    <: who all
    > -00:25 ann 1             -00:25 - (-00:05) + 00:20
    | -00:05
    | 00:00
    < ann 1
    `,
  );
});

test('an early trigger of processing time on windows of processing time', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m', { time: 'processing' }))
        .trigger(trigger.early('20s', { time: 'processing' }))
        .apply(values),
    `
    >: who v
    <: time who all
    @ 00:15
    > 00:00 ann 1
    @ 00:20
    < 00:59.999 ann 1
    > 00:00 ann 2
    @ 00:45
    < 00:59.999 ann 1-2
    @ 00:59.999
    < 00:59.999 ann 1-2
    `,
  );
});

test('an early trigger of processing time shows a window of event time while it is open, and its end', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m'))
        .trigger(trigger.early('20s', { time: 'processing' }))
        .apply(values),
    `
    >: who v
    <: time who all
    @ 5:00:15
    > 00:00 ann 1
    @ 5:00:20
    < 00:59.999 ann 1
    > 00:30 ann 2
    @ 5:00:45
    < 00:59.999 ann 1-2
    > 00:40 ann 3
    | 00:59.999
    < 00:59.999 ann 1-2-3
    @ 6:00:00
    `,
  );
});

test('a purging trigger empties the window: each firing holds what came since', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(tumbling('1m'))
        .allowedLateness('1m')
        .trigger(trigger.purging(trigger.eventTime()))
        .apply(values),
    `
    >: who v
    <: who all
    > 00:05 ann 1
    > 00:06 ann 2
    | 01:00
    < ann 1-2
    = 1                        its cleanup timer
    > 00:07 ann 3
    < ann 3
    > 00:08 ann 4
    < ann 4
    | 01:59.999
    = 0
    `,
  );
});

test('a count trigger on a window of time fires by count alone, and the window closes without a word', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).trigger(trigger.count(2)).apply(values),
    `
    >: who v
    <: who all
    > 00:05 ann 1
    > 01:05 ann 2
    > 00:06 ann 3
    < ann 1-3
    > 00:07 ann 4
    | end
    `,
  );
});

test('a count trigger counts in every sliding window', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(sliding('40s', '20s'))
        .trigger(trigger.purging(trigger.count(2)))
        .apply(values),
    `
    >: who v
    <: time who all
    > 00:25 ann 1
    > 00:45 ann 2
    < 00:59.999 ann 1-2
    > 00:26 ann 3
    < 00:39.999 ann 1-3
    | end
    `,
  );
});

test('a delta trigger fires when an element is far from the one at which it fired last', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(globalWindow())
        .trigger(trigger.purging(trigger.delta<Click>(5, (last, now) => now.v - last.v)))
        .apply(values),
    `
    >: who v
    <: who all
    > 00:00 ann 10
    > 00:00 ann 15             5 is not more than 5
    > 00:00 ann 16
    < ann 10-15-16
    > 00:00 ann 1              further away, but below
    > 00:00 ann 21
    > 00:00 ann 22
    < ann 1-21-22
    = 1                        the last element
    `,
  );
});

test('windows of event time can fire by the clock', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks.keyBy('who').window(tumbling('1m')).trigger(trigger.processingTime()).apply(values),
    `
    >: who v
    <: who all
    > 00:05 ann 1
    @ 00:59.998
    @ 00:59.999
    < ann 1
    > 00:06 ann 2              its time is now: when the clock moves on
    > 00:07 ann 3
    @ 01:00
    < ann 1-2-3
    | end
    `,
  );
});
