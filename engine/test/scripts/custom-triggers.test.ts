// Scripts of custom triggers: state and timers for each key and window, both clocks, purging, and
// merging windows.
import { test } from 'vitest';
import { globalWindow, session, type Stream, trigger, tumbling } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Click {
  readonly who: string;
  readonly v: number;
}
const values = (key: { who: string }, _window: unknown, clicks: readonly Click[]) => [
  { ...key, all: clicks.length === 1 ? clicks[0]!.v : clicks.map(({ v }) => v).join('-') },
];

test('a custom trigger keeps its state and timers for each key and window', () => {
  // Fires after ten seconds without a click, at most once for each window.
  const quiet = trigger.custom<Click>({
    onElement(_click, at, { state, timers }) {
      const last = state.get('at') as number | undefined;
      if (last !== undefined) timers.deleteEventTime(last + 10_000);
      state.set('at', at);
      timers.eventTime(at + 10_000);
      return 'continue';
    },
    onEventTime: (at, { state }) => (at === (state.get('at') as number) + 10_000 ? 'fire' : 'continue'),
  });
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(tumbling('1m')).trigger(quiet).apply(values),
    `
    >: who v
    <: time who all
    > 00:05 ann 1
    > 00:10 ann 2
    > 00:05 bob 3
    = 8                        for each: contents, state, timer, cleanup timer
    | 00:15
    < 00:59.999 bob 3
    | 00:20
    < 00:59.999 ann 1-2
    > 00:55 ann 4              10 s later the window is no more
    | end
    `,
  );
});

test('a custom trigger can fire by its own clock timers, purge, and both', () => {
  const each = trigger.custom<Click>({
    onElement({ v }, _at, { timers }) {
      if (v === 0) return 'purge';
      if (v === 9) return 'fire-and-purge';
      timers.processingTime(v * 1000);
      return v === 8 ? 'fire' : 'continue';
    },
    onProcessingTime: () => 'fire',
  });
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(globalWindow()).trigger(each).apply(values),
    `
    >: who v
    <: who all
    > 00:00 ann 3
    > 00:00 ann 8
    < ann 3-8
    @ 00:03
    < ann 3-8
    > 00:00 ann 9
    < ann 3-8-9
    @ 00:08                    nothing is in it
    > 00:00 ann 7
    > 00:00 ann 0
    @ 00:09
    = 0
    `,
  );
});

test('a custom trigger sees its window, the watermark, and what merged windows remembered', () => {
  const sums = trigger.custom<Click>({
    onElement({ v }, _at, { state, window, watermark }) {
      state.set('sum', ((state.get('sum') as number | undefined) ?? 0) + v);
      const isLong = window.windowEnd.getTime() - window.windowStart.getTime() > 20_000;
      return (state.get('sum') as number) >= 7 && isLong && watermark === -1000 ? 'fire-and-purge' : 'continue';
    },
    onMerge({ state, merged }) {
      state.set(
        'sum',
        merged.reduce((sum, one) => sum + ((one.get('sum') as number | undefined) ?? 0), 0),
      );
    },
  });
  runScript(
    (clicks: Stream<Click>) => clicks.keyBy('who').window(session('10s')).trigger(sums).apply(values),
    `
    >: who v
    <: who all
    | -00:01
    > 00:00 ann 1
    > 00:15 ann 2
    > 00:08 ann 4
    < ann 1-2-4
    | end
    `,
  );
});
