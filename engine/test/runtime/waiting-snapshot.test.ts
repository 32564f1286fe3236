// A snapshot whose barrier does not pass. The blocking operator is known, the snapshot ends with
// it, and a pull blocks no snapshot.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator, OperatorContext } from '../../contract/operator.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

test('a snapshot that waited for a branch is complete when the branch is removed, and the next ones are taken', () => {
  const numbers = new Numbers();
  const stuck = new Sink();
  stuck.blocked = true;
  const { runtime, settle } = runtimeOf({ numbers, pass: () => new Pass(), sink: stuck, sink2: () => new Sink() });
  runtime.mutate(planOf('numbers>pass, pass>sink, numbers>sink2'), {});
  settle();
  numbers.give(10_000);
  settle();
  const taken: string[][] = [];
  runtime.snapshot(({ tasks }) => taken.push([...tasks.keys()].toSorted()));
  settle();
  assert.deepEqual([taken, runtime.snapshotsInFlight], [[], 1]);
  runtime.mutate(planOf('numbers>sink2'), {});
  settle();
  runtime.snapshot(({ tasks }) => taken.push([...tasks.keys()].toSorted()));
  settle();
  assert.deepEqual(taken.at(-1), ['numbers', 'sink2']);
  assert.deepEqual([taken.length, runtime.snapshotsInFlight, runtime.barriersInFlight], [2, 0, 0]);
});

test('a snapshot names the operator that it waits for, however far the barrier has come elsewhere', () => {
  const numbers = new Numbers();
  const stuck = new Sink();
  stuck.blocked = true;
  const { runtime, settle } = runtimeOf({ numbers, pass: () => new Pass(), sink: stuck, sink2: () => new Sink() });
  runtime.mutate(planOf('numbers>pass, pass>sink, numbers>sink2'), {});
  settle();
  assert.equal(runtime.waitsFor(), undefined);
  numbers.give(10_000);
  settle();
  runtime.snapshot(() => {});
  settle();
  assert.deepEqual(
    runtime.waitsFor()?.tasks.map(({ id }) => id),
    ['sink'],
    'the one that the others wait for',
  );
  assert.ok(runtime.waitsFor()!.millis >= 0);
  stuck.unblock();
  settle();
  assert.equal(runtime.waitsFor(), undefined);
});

test('a snapshot does not wait for what only pulls read: no restore brings a pull back', () => {
  const numbers = new Numbers();
  const stuck = new Sink();
  stuck.blocked = true;
  const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), pull: stuck, sink: () => new Sink() });
  runtime.mutate(planOf('numbers>sum, sum>pull, numbers>sink'), {});
  settle();
  numbers.give(10);
  settle();
  const taken: string[][] = [];
  for (let i = 0; i < 3; i++) {
    numbers.give(5);
    runtime.snapshot(({ tasks }) => taken.push([...tasks.keys()].toSorted()));
    settle();
  }
  assert.deepEqual([taken.length, taken.every((tasks) => tasks.includes('sink'))], [3, true]);
  assert.deepEqual([runtime.snapshotsInFlight, runtime.waitsFor()], [0, undefined]);
  assert.ok(runtime.barriersInFlight > 0);
  stuck.unblock();
  settle();
  assert.deepEqual([stuck.rows.length, runtime.barriersInFlight], [25, 0]);
});

/** A sink whose target answers only when it is told. */
class Sending implements Operator {
  keepsUnsent = false;
  taken = 0;
  #context: OperatorContext | undefined;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    this.taken += batch.length - from;
    return batch.length;
  }
  flush(): boolean {
    return false;
  }
  wake(): void {
    this.#context!.wake();
  }
}

test('a sink that keeps what is unsent lets the barriers of snapshots and of other changes pass', () => {
  const numbers = new Numbers();
  const sink = new Sending();
  const { runtime, settle } = runtimeOf({ numbers, sink, sink2: () => new Sink(), sink3: () => new Sink() });
  const both = planOf('numbers>sink, numbers>sink2');
  runtime.mutate(both, {});
  settle();
  numbers.give(10);
  settle();
  let snapshots = 0;
  runtime.snapshot(() => snapshots++);
  settle();
  numbers.give(10);
  settle();
  assert.deepEqual([snapshots, sink.taken], [0, 10], 'without keepsUnsent the barrier waits');
  sink.keepsUnsent = true;
  sink.wake();
  settle();
  assert.deepEqual([snapshots, sink.taken], [1, 20]);

  let changes = 0;
  runtime.mutate(planOf('numbers>sink, numbers>sink2, numbers>sink3'), {}, () => changes++);
  settle();
  assert.equal(changes, 1, 'another part of the graph changes');
});
