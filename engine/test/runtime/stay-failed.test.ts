// An operator that failed stays failed in the next life of its job: it keeps its state for a
// successor, and none of its code runs.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Snapshot } from '../../runtime/barriers.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

const edges = 'numbers>pass, pass>sum, sum>sink, numbers>other';

/** A job whose `pass` failed at the fourth number, and its last snapshot. */
function failedJob() {
  const numbers = new Numbers();
  const pass = new Pass();
  pass.f = (value) => {
    if (value === 3) throw new Error('poison');
    return value;
  };
  const failures: string[] = [];
  const { runtime, settle } = runtimeOf(
    { numbers, pass, sum: () => new Sum(), sink: () => new Sink(), other: () => new Sink() },
    { onFailure: ({ node }) => void failures.push(node) },
  );
  runtime.mutate(planOf(edges), {});
  settle();
  numbers.give(6);
  settle();
  assert.deepEqual(failures, ['pass']);
  let taken: Snapshot | undefined;
  runtime.snapshot((snapshot) => (taken = snapshot), 'full');
  settle();
  assert.ok(taken, 'a failed operator does not hold back the snapshot');
  return taken;
}

/** The next life of that job. */
function nextLife({ tasks }: Snapshot, failed: readonly string[]) {
  const operators = { numbers: new Numbers(), pass: new Pass(), sum: new Sum(), sink: new Sink(), other: new Sink() };
  const { runtime, settle } = runtimeOf(operators);
  runtime.mutate(planOf(edges), { restore: tasks, failed: new Set(failed) });
  settle();
  operators.numbers.give(4);
  settle();
  return { ...operators, runtime, settle };
}

test('an operator that failed gets no records after a restore; its readers keep their state', () => {
  const { sum, sink, other, runtime } = nextLife(failedJob(), ['pass']);
  assert.deepEqual(sink.rows, [], 'records behind the failure do not reach its readers');
  assert.equal(sum.sum, 0 + 1 + 2);
  assert.deepEqual(other.rows, [6, 7, 8, 9], 'other readers of the source go on');
  assert.equal(runtime.tasks.get('pass')?.status, 'failed');
});

test('without the mark the same operator goes on behind a hole', () => {
  const { sink } = nextLife(failedJob(), []);
  assert.deepEqual(sink.rows, [9, 16, 24, 33], '3, 4 and 5 are missing from these sums');
});

test('a source that failed is not opened again', () => {
  const { numbers, other, runtime } = nextLife(failedJob(), ['numbers']);
  assert.equal(numbers.opened, 0);
  assert.deepEqual(other.rows, []);
  assert.equal(runtime.tasks.get('numbers')?.operatorStatus(), undefined);
});

test('the state of a failed operator lives through snapshots, and a successor takes it over', () => {
  const { runtime, settle, sum } = nextLife(failedJob(), ['sum']);
  assert.equal(sum.sum, 0, 'its operator is not opened');
  let again: Snapshot | undefined;
  runtime.snapshot((snapshot) => (again = snapshot));
  settle();
  assert.ok(again);
  const next = nextLife(again, []);
  assert.equal(next.sum.sum, 3 + (10 + 11 + 12 + 13), 'here it starts again from what it held');

  const successor = new Sum();
  const changed = runtimeOf({
    numbers: new Numbers(),
    pass: new Pass(),
    sum: new Sum(),
    next: successor,
    sink: new Sink(),
  });
  changed.runtime.mutate(planOf('numbers>pass, pass>sum, sum>sink'), {
    restore: again.tasks,
    failed: new Set(['sum']),
  });
  changed.settle();
  changed.runtime.mutate(planOf('numbers>pass, pass>next, next>sink'), { handover: { next: 'sum' } });
  changed.settle();
  assert.equal(successor.sum, 3);
});

test('a mutation and a snapshot pass an operator that stays failed', () => {
  const { runtime, settle, other } = nextLife(failedJob(), ['pass']);
  runtime.mutate(planOf('numbers>other'), {}, () => other.rows.push('mutated'));
  settle();
  assert.equal(other.rows.at(-1), 'mutated');
});

test('an operator that cannot be opened is closed and asked for nothing more; its state lives on', () => {
  const calls: string[] = [];
  /** Has nothing before `open`, so each other call would throw. */
  class Unopenable extends Sum {
    override open(): void {
      calls.push('open');
      throw new Error('no connection');
    }
    override snapshot(): void {
      calls.push('snapshot');
      throw new Error('not open');
    }
    status(): never {
      calls.push('status');
      throw new Error('not open');
    }
    override close(): void {
      calls.push('close');
      throw new Error('not open');
    }
  }
  const { tasks } = failedJob();
  const failures: string[] = [];
  const numbers = new Numbers();
  const other = new Sink();
  const { runtime, settle } = runtimeOf(
    { numbers, pass: new Pass(), sum: () => new Unopenable(), sink: () => new Sink(), other: () => other },
    { onFailure: ({ node, error }) => void failures.push(`${node}: ${(error as Error).message}`) },
  );
  runtime.mutate(planOf(edges), { restore: tasks });
  settle();
  numbers.give(4);
  settle();
  assert.deepEqual(failures, ['sum: no connection']);
  assert.equal(runtime.tasks.get('sum')?.operatorStatus(), undefined);
  assert.equal(other.rows.length, 4, 'the others go on');
  let taken: Snapshot | undefined;
  runtime.snapshot((snapshot) => (taken = snapshot), 'full');
  settle();
  assert.deepEqual(taken!.tasks.get('sum')?.value, tasks.get('sum')?.value);
  assert.deepEqual(calls, ['open', 'close']);
});
