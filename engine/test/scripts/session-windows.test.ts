// Scripts of session windows: gaps, merging, lateness, gaps by element, windows over all keys,
// processing time, and kept state.
import { test } from 'vitest';
import { aggregator, count, countWindow, customWindow, session, type Stream, sum, trigger } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Click {
  readonly who: string;
  readonly v: number;
}
/** The values of a window, in the order in which it holds them. */
const values = (key: { who: string }, window: { windowStart: Date; windowEnd: Date }, clicks: readonly Click[]) => [
  { ...key, ...window, all: clicks.map(({ v }) => v).join('-') },
];

test('a session ends a gap after its last element, and elements exactly a gap apart are of one session', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session('30s'))
        .aggregate({ n: count(), total: sum('v') }),
    `
    >: who v
    <: time who window n total
    > 00:00 ann 1
    > 00:20 ann 2
    > 00:50 ann 4              exactly 30 s later
    > 01:20.001 ann 8          1 ms more
    > 00:10 bob 16
    | 00:39.998
    | 00:39.999
    < 00:39.999 bob [00:10, 00:40) 1 16
    | 01:20
    < 01:19.999 ann [00:00, 01:20) 3 7
    | end
    < 01:50.000 ann [01:20.001, 01:50.001) 1 8
    `,
  );
});

test('an element between two sessions makes them one, and the elements of the first come first', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(session('10s')).apply(values),
    `
    >: who v
    <: who window all
    > 00:30 ann 1
    = 2
    > 00:15 ann 2
    = 4                        two windows, each with contents and a timer
    > 00:24 ann 3
    = 2
    > 00:05 ann 4
    = 2                        [00:05, 00:15) touches [00:15, …)
    | end
    < ann [00:05, 00:40) 2-1-3-4
    `,
  );
});

test('a session that merges beyond the watermark is not late, and one that stands alone behind it is', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session('10s'))
        .aggregate({ total: sum('v') }),
    `
    >: who v
    <: who window total
    > 00:30 ann 1
    | 00:35
    > 00:21 ann 2              its own window ends at 00:31, which is past; but it touches the open one
    > 00:12 ann 4              touches that one
    > 00:01 ann 8
    ! 00:01 ann 8
    > 00:25 bob 16             its window ends at 00:35, whose last millisecond the watermark has passed
    ! 00:25 bob 16
    > 00:26 bob 32
    | end
    < ann [00:12, 00:40) 7
    < bob [00:26, 00:36) 32
    `,
  );
});

test('within allowed lateness a late element fires its session again, and may join two that have fired', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session('10s'))
        .allowedLateness('1m')
        .aggregate({ total: sum('v') }),
    `
    >: who v
    <: time who window total
    > 00:00 ann 1
    > 00:15 ann 2
    | 00:30
    < 00:09.999 ann [00:00, 00:10) 1
    < 00:24.999 ann [00:15, 00:25) 2
    > 00:08 ann 4              at once, and the two are one
    < 00:24.999 ann [00:00, 00:25) 7
    > 00:21 ann 8              the merged window ends after the watermark: it waits
    | 00:31
    < 00:30.999 ann [00:00, 00:31) 15
    | 01:30.998
    > 00:30 ann 16
    < 00:39.999 ann [00:00, 00:40) 31
    | 01:39.999
    = 0
    > 00:30 ann 32
    ! 00:30 ann 32
    `,
  );
});

test('each element can have a gap of its own', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session((click) => `${click.v}s`))
        .aggregate({ n: count() }),
    `
    >: who v
    <: who window n
    > 00:00 ann 10
    > 00:08 ann 1              ends before the first one's gap: the session stays as long
    > 00:10 ann 5
    > 00:20 ann 3
    > 00:00 ann 10             the same window once more
    | end
    < ann [00:00, 00:15) 4
    < ann [00:20, 00:23) 1
    `,
  );
});

test('reduce folds what two sessions had, the first before the second', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session('10s'))
        .reduce((a, b) => ({ who: `${a.who}+${b.who}`, v: a.v + b.v })),
    `
    >: who v
    <: time who v
    > 00:15 ann 2
    > 00:00 ann 1
    > 00:08 ann 4
    | end
    < 00:24.999 ann+ann+ann 7
    `,
  );
});

test('sessions over everything have no key', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.windowAll(session('10s')).aggregate({ n: count() }),
    `
    >: who v
    <: window n
    > 00:00 ann 1
    > 00:09 bob 1
    > 00:30 eve 1
    | end
    < [00:00, 00:19) 2
    < [00:30, 00:40) 1
    `,
  );
});

test('in processing time the clock opens and closes sessions, and nothing is late', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session('10s', { time: 'processing' }))
        .aggregate({ n: count() }),
    `
    >: who v
    <: time who window n
    @ 00:01
    > 59:00 ann 1              event time does not count
    @ 00:06
    > 00:00 ann 1
    | 30:00
    > 00:00 ann 1              far behind the watermark
    @ 00:15.998
    @ 00:15.999
    < 00:15.999 ann [00:01, 00:16) 3
    > 00:00 ann 1              a new one
    @ 00:30
    < 00:25.998 ann [00:15.999, 00:25.999) 1
    `,
  );
});

test('an aggregator of one’s own is merged by its merge', () => {
  const parts = aggregator({
    create: () => ({ sum: 0, parts: 1 }),
    add: (a, click: Click) => ({ ...a, sum: a.sum + click.v }),
    merge: (a, b) => ({ sum: a.sum + b.sum, parts: a.parts + b.parts }),
    result: ({ sum, parts }) => `${sum} of ${parts}`,
  });
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(session('10s')).aggregate({ parts }),
    `
    >: who v
    <: who window parts
    > 00:00 ann 1
    > 00:15 ann 2
    > 00:08 ann 4
    | end
    < ann [00:00, 00:25) "7 of 2"
    `,
  );
});

test('windows of one’s own merge when they say so', () => {
  // A stay at a place: everything until five seconds after, and never across a minute.
  const stay = customWindow<Click>({
    assign: (_, at) => [{ start: at, end: Math.min(at + 5000, (Math.floor(at / 60_000) + 1) * 60_000 - 1) }],
    merging: true,
  });
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(stay).aggregate({ n: count() }),
    `
    >: who v
    <: who window n
    > 00:52 ann 1
    > 00:57 ann 1
    > 01:00 ann 1              a minute later
    > 01:03 ann 1
    | end
    < ann [00:52, 00:59.999) 2
    < ann [01:00, 01:08) 2
    `,
  );
});

test('counts of sessions that merge add up, and the next element fires', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(session('10s')).trigger(trigger.count(3)).apply(values),
    `
    >: who v
    <: who window all
    > 00:00 ann 1
    > 00:01 ann 2
    > 00:15 ann 3
    > 00:09 ann 4
    < ann [00:00, 00:25) 1-2-3-4
    > 00:16 ann 5
    > 00:17 ann 6
    | end
    `,
  );
});

test('an early firing of sessions that merge comes at the earlier of their times', () => {
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(session('20s')).trigger(trigger.early('10s')).apply(values),
    `
    >: who v
    <: time who window all
    > 00:25 ann 1              would fire at 00:30
    > 00:01 ann 2              would fire at 00:10
    > 00:15 ann 3              they are one
    | 00:10
    < 00:44.999 ann [00:01, 00:45) 2-1-3
    | 00:29
    < 00:44.999 ann [00:01, 00:45) 2-1-3
    | end
    < 00:44.999 ann [00:01, 00:45) 2-1-3
    < 00:44.999 ann [00:01, 00:45) 2-1-3
    < 00:44.999 ann [00:01, 00:45) 2-1-3
    `,
  );
});

test('an element whose own window has the bounds of a merged one adds to what that one holds', () => {
  runScript(
    (clicks: Stream<Click>) =>
      clicks
        .keyBy('who')
        .window(session((click) => `${click.v}s`))
        .apply(values),
    `
    >: who v
    <: who window all
    > 00:00 ann 6
    > 00:05 ann 5
    > 00:00 ann 10             [00:00, 00:10), as the two together
    | end
    < ann [00:00, 00:10) 6-5-10
    `,
  );
});

test('a session of two streams merges over both, and a count window counts both', () => {
  runScript(
    (clicks: Stream<Click>, buys: Stream<Click>) =>
      clicks
        .keyBy('who')
        .coGroup(buys.keyBy('who'))
        .window(session('10s'))
        .apply(({ who }, left, right, { windowStart, windowEnd }) => [
          { who, windowStart, windowEnd, left: left.map(({ v }) => v), right: right.map(({ v }) => v) },
        ]),
    `
    >L: who v
    >R: who v
    <: who window left right
    >L 00:00 ann 1
    >R 00:15 ann 2
    >L 00:08 ann 3             joins the two
    >R 00:50 ann 4
    | end
    < ann [00:00, 00:25) [1,3] [2]
    < ann [00:50, 01:00) [] [4]
    `,
  );
  runScript(
    (clicks: Stream<Click>, buys: Stream<Click>) =>
      clicks
        .keyBy('who')
        .join(buys.keyBy('who'), 'outer')
        .window(countWindow(3))
        .select((left, right) => ({ left: left?.v, right: right?.v })),
    `
    >L: who v
    >R: who v
    <: left right
    >L 00:00 ann 1
    >R 00:15 ann 2
    >L 00:08 ann 3
    < 1 2
    < 3 2
    >L 00:08 ann 4
    >L 00:08 ann 5
    >L 00:08 ann 6
    < 4 -
    < 5 -
    < 6 -
    `,
  );
});
