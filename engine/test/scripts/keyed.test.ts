// Scripts of operators with state for each key: reduce, rolling aggregates, process with state and
// timers.
import { test } from 'vitest';
import { avg, count, max, min, type Stream, sum, valueState } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Payment {
  readonly who: string;
  readonly amount: number;
}

test('reduce gives the accumulated value for every element of a key', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments.keyBy('who').reduce((sum, payment) => ({ ...payment, amount: sum.amount + payment.amount })),
    `
    >: who amount
    <: time who amount
    > 00:10 ann 5
    < 00:10 ann 5         the first element itself
    > 00:20 ann 7
    < 00:20 ann 12
    > 00:15 bob 1
    < 00:15 bob 1         another key knows nothing of ann's
    | 01:00
    > 00:30 ann 1
    < 00:30 ann 13        nothing is late without a window
    | end
    = 2                   ann's and bob's: a reduce without a window never lets go
    `,
  );
});

test('a rolling aggregate gives a row for every element', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments.keyBy('who').aggregate({
        n: count(),
        total: sum('amount'),
        mean: avg('amount'),
        least: min('amount'),
        most: max('amount'),
      }),
    `
    >: who amount
    <: time who n total mean least most
    > 00:10 ann 5
    < 00:10 ann 1 5 5 5 5
    > 00:20 ann 7
    < 00:20 ann 2 12 6 5 7
    > 00:20 bob -1
    < 00:20 bob 1 -1 -1 -1 -1
    > 00:30 ann 0
    < 00:30 ann 3 12 4 0 7
    | end
    = 2
    `,
  );
});

test('a key is its value: -0 is 0, null is a key, text and number are two', () => {
  runScript(
    (items: Stream<{ k: unknown }>) => items.keyBy((item) => item.k).aggregate({ n: count() }),
    `
    >: k
    <: key n
    > 00:01 0
    < 0 1
    > 00:02 -0
    < 0 2
    > 00:03 "0"
    < "0" 1
    > 00:04 null
    < null 1
    > 00:05 null
    < null 2
    = 3
    `,
  );
});

/**
 * Emits the length of each visit of a user. A visit ends after ten seconds of event time without a
 * click.
 */
const visits = (clicks: Stream<{ user: string }>) =>
  clicks.keyBy('user').process({
    state: { first: valueState<number>(), last: valueState<number>() },
    onElement(_click, { timestamp, state, timers }) {
      const last = state.last.get();
      if (last !== undefined) timers.deleteEventTime(last + 10_000);
      if (state.first.get() === undefined) state.first.set(timestamp);
      state.last.set(timestamp);
      timers.eventTime(timestamp + 10_000);
    },
    *onTimer(at, { key, state }) {
      yield { user: key.user, seconds: (at - 10_000 - state.first.get()!) / 1000 };
      state.first.clear();
      state.last.clear();
    },
  });

test('process keeps values by key, and its timers fire when time has come to them', () => {
  runScript(
    visits,
    `
    >: user
    <: time user seconds
    > 00:01 ann
    > 00:05 ann
    > 00:06 bob
    | 00:14
    > 00:14 ann           the visit goes on
    | 00:16
    < 00:16 bob 0
    | 00:23
    | 00:24
    < 00:24 ann 13
    > 00:40 ann           another visit
    | end
    < 00:50 ann 0
    `,
  );
});

test('timers of one time and key are one, fire in order of time, and one in the past fires with the next watermark', () => {
  runScript(
    (items: Stream<{ k: string; at: number }>) =>
      items.keyBy('k').process({
        onElement({ at }, { timers }) {
          timers.eventTime(at);
        },
        *onTimer(at, { key, domain }) {
          yield `${key.k}${at}${domain === 'event' ? '' : '?'}`;
        },
      }),
    `
    >: k at
    <: time what
    > 00:01 a 9000
    > 00:01 a 5000
    > 00:02 a 9000        the same again
    | 00:04
    | 00:10
    < 00:05 a5000
    < 00:09 a9000
    > 00:11 a 3000        long ago
    | 00:10.500
    < 00:03 a3000
    | end
    `,
  );
});

test('processing time moves only by the clock, and takes no notice of watermarks', () => {
  runScript(
    (items: Stream<{ k: string }>) =>
      items.keyBy('k').process({
        state: { n: valueState<number>() },
        onElement(_item, { timers, state }) {
          state.n.set((state.n.get() ?? 0) + 1);
          timers.processingTime(5000);
        },
        *onTimer(_at, { key, state, domain }) {
          yield { k: key.k, n: state.n.get(), domain };
          state.n.clear();
        },
      }),
    `
    >: k
    <: k n domain
    > 00:01 a
    > 00:02 a
    | 10:00               event time
    @ 00:04.999
    @ 00:05
    < a 2 processing
    > 00:03 b             set for a time that has gone by: when the clock moves on
    @ 00:06
    < b 1 processing
    `,
  );
});

test('onElement may give rows at once, and state.clear() removes the entry', () => {
  runScript(
    (items: Stream<{ k: string; on: boolean }>) =>
      items.keyBy('k').process({
        state: { on: valueState<boolean>() },
        *onElement({ k, on }, { state }) {
          if (on === (state.on.get() ?? false)) return;
          if (on) state.on.set(true);
          else state.on.clear();
          yield `${k} ${on ? 'on' : 'off'}`;
        },
      }),
    `
    >: k on
    > 00:01 a true
    < "a on"
    > 00:02 a true        no change
    > 00:03 b true
    < "b on"
    > 00:04 a false
    < "a off"
    = 1                   b's
    > 00:05 b false
    < "b off"
    `,
  );
});
