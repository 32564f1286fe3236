// A snapshot whose barrier does not pass. The blocking operator is known, the snapshot ends with
// it, and a pull blocks no snapshot.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { StateWriter } from '../../contract/operator.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
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

test('snapshots are complete in the order of their epochs, however soon the later ones have all tasks', () => {
  const numbers = new Numbers();
  const [stuck, other] = [new Sink(), new Sink()];
  stuck.blocked = true;
  const { runtime, settle } = runtimeOf({
    numbers,
    numbers2: new Numbers(),
    pass: () => new Pass(),
    sink: stuck,
    sink2: other,
  });
  runtime.mutate(planOf('numbers>pass, pass>sink, numbers2>sink2'), {});
  settle();
  numbers.give(10_000);
  settle();
  const complete: number[] = [];
  const keep = ({ epoch }: Snapshot): void => void complete.push(epoch);
  const first = runtime.snapshot(keep);
  const second = runtime.snapshot(keep);
  settle();
  assert.deepEqual(complete, []);
  stuck.unblock();
  settle();
  assert.deepEqual(complete, [first, second]);
  assert.equal(runtime.barriersInFlight, 0);
});

/** A branch that a display and a pull read; the pull holds it back. */
function heldByPull() {
  const numbers = new Numbers();
  const [pull, display] = [new Sink(), new Sink()];
  const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), pull, display, sink: () => new Sink() });
  const withDisplay = planOf('numbers>sum, sum>pull, sum>display, numbers2>sink');
  const withoutDisplay = planOf('numbers>sum, sum>pull, numbers2>sink');
  return { numbers, pull, runtime, settle, withDisplay, withoutDisplay };
}

test('the snapshot of a mutation is complete after the mutation, and after the snapshots before it', () => {
  const { numbers, pull, runtime, settle, withDisplay, withoutDisplay } = heldByPull();
  runtime.mutate(withDisplay, {});
  settle();
  pull.blocked = true;
  numbers.give(10_000);
  settle();
  const complete: string[] = [];
  const first = runtime.snapshot(({ epoch }) => void complete.push(`snapshot ${epoch}`));
  settle();
  assert.equal(complete.length, 0, 'the display needs the state of the branch');
  const second = runtime.mutate(
    withoutDisplay,
    { snapshot: 'changes' },
    ({ epoch }) => void complete.push(`mutated ${epoch}`),
    ({ epoch }) => void complete.push(`snapshot ${epoch}`),
  );
  settle();
  assert.equal(complete.includes(`snapshot ${second}`), false, 'the change of the branch waits for the pull');
  pull.unblock();
  settle();
  assert.deepEqual(complete, [`snapshot ${first}`, `mutated ${second}`, `snapshot ${second}`]);
});

test('what a task writes behind a complete snapshot is not lost: its next part is whole', () => {
  const { numbers, pull, runtime, settle, withDisplay, withoutDisplay } = heldByPull();
  runtime.mutate(withoutDisplay, {});
  settle();
  pull.blocked = true;
  numbers.give(50);
  settle();
  const taken: Snapshot[] = [];
  runtime.snapshot((snapshot) => void taken.push(snapshot));
  settle();
  assert.equal(taken[0]?.tasks.has('sum'), false, 'only a pull reads it');
  pull.unblock();
  settle();
  runtime.mutate(withDisplay, { snapshot: 'changes' }, undefined, (snapshot) => void taken.push(snapshot));
  settle();
  assert.equal(taken[1]?.tasks.get('sum')?.full, true);
});

test('an operator whose snapshot throws fails alone: the snapshot goes on without it', () => {
  const numbers = new Numbers();
  class Unwritable extends Sum {
    override snapshot(writer: StateWriter): void {
      writer.value({ sum: this.sum, f: () => this.sum });
    }
  }
  const failures: string[] = [];
  const { runtime, settle, made } = runtimeOf(
    { numbers, sum: () => new Unwritable(), sink: () => new Sink(), sink2: () => new Sink() },
    { onFailure: ({ node, error }) => void failures.push(`${node}: ${(error as Error).message}`) },
  );
  runtime.mutate(planOf('numbers>sum, sum>sink, numbers>sink2'), {});
  settle();
  numbers.give(3);
  settle();
  const taken: string[][] = [];
  const keep = ({ tasks }: Snapshot): void => void taken.push([...tasks.keys()].toSorted());
  runtime.snapshot(keep);
  settle();
  numbers.give(3);
  runtime.snapshot(keep, 'full');
  settle();
  assert.deepEqual(taken, [
    ['numbers', 'sink', 'sink2'],
    ['numbers', 'sink', 'sink2'],
  ]);
  assert.equal(failures.length, 1);
  assert.match(
    failures[0]!,
    /^sum: sum cannot keep its state in a snapshot: the function f cannot be stored\. .*plain data/,
  );
  const rows = (id: string): unknown => (made.get(id)?.[0] as Sink).rows;
  assert.deepEqual(
    [rows('sink'), rows('sink2')],
    [
      [0, 1, 3],
      [0, 1, 2, 3, 4, 5],
    ],
  );
  // A run of its cell brings another text.
  runtime.mutate(planOf('numbers>sum2, sum2>sink, numbers>sink2'), { handover: { sum2: 'sum' } });
  settle();
  assert.equal(runtime.tasks.get('sum2')?.status, 'running', 'its successor starts without state');
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
