// What a restore means for processing time: timers that came due while nothing ran, and state whose
// time to live ran on.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ManualClock } from '../../contract/clock.ts';
import type { Operator } from '../../contract/operator.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { Program } from '../operators/drive.ts';
import { Numbers, planOf, runtimeOf, Sink } from './graph-kit.ts';

interface Context {
  readonly state: { readonly seen: { get(): number | undefined; set(value: number): void } };
  readonly timers: { processingTime(at: number): void };
}
/** One key. Each number sets a timer 50 ms ahead, and is kept for 100 ms. */
function program(): Operator {
  const clockless = new Program(
    'process',
    {
      state: { seen: { kind: 'value', ttlMillis: 100 } },
      *onElement(n: number, { state, timers }: Context) {
        yield `${n} after ${String(state.seen.get() ?? 'nothing')}`;
        state.seen.set(n);
        timers.processingTime(1000 + 50 * (n + 1));
      },
      *onTimer(at: number) {
        yield `timer ${at}`;
      },
    },
    [{ fn: () => 'all' }],
  );
  return clockless.operator();
}
const plan = planOf('numbers>keyed, keyed>sink');
function life(at: number, restore?: ReadonlyMap<string, TaskSnapshot>) {
  const [numbers, sink, clock] = [new Numbers(), new Sink(), new ManualClock(at)];
  const { runtime, settle } = runtimeOf({ numbers, sink, keyed: program }, { clock });
  runtime.mutate(plan, { ...(restore && { restore }) });
  // The record is there from the start, and the restored task has both to do.
  numbers.give(1);
  settle();
  return { numbers, sink, clock, runtime, settle };
}
/** The rows of a second life that begins at a time of the clock, with one record. */
function rowsOfSecondLife(at: number): readonly unknown[] {
  const { runtime, settle } = life(1000);
  let taken: Snapshot | undefined;
  runtime.snapshot((snapshot) => (taken = snapshot));
  settle();
  const second = life(at, taken!.tasks);
  second.numbers.give(1);
  second.settle();
  return second.sink.rows;
}

test('an overdue timer of processing time fires before the first record', () => {
  assert.deepEqual(rowsOfSecondLife(1060), ['timer 1050', '1 after 0']);
});

test('a time to live counts the time in which nothing ran', () => {
  assert.deepEqual(rowsOfSecondLife(1099), ['timer 1050', '1 after 0']);
  assert.deepEqual(rowsOfSecondLife(1100), ['timer 1050', '1 after nothing']);
});

test('a timer that is not due yet waits', () => {
  assert.deepEqual(rowsOfSecondLife(1049), ['1 after 0']);
});
