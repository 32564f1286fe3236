// The life of a checkpoint: who is told what, in which order, and what a snapshot that was given up
// leaves behind.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ManualClock } from '../../contract/clock.ts';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { PlanNode } from '../../graph/plan.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import type { AbortedSnapshot } from '../../runtime/checkpoint.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { isBrokenInvariant } from '../../errors/invariant.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

/** Notes each call. Its preCommit waits while it is held. */
class Ledger implements Operator {
  readonly calls: string[] = [];
  isHeld = false;
  hasUncommitted = false;
  breaks: string | undefined;
  #context!: OperatorContext;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch): number {
    this.hasUncommitted = true;
    this.calls.push(`rows ${batch.length}`);
    return batch.length;
  }
  flush(): boolean {
    this.calls.push('flush');
    return true;
  }
  preCommit(checkpoint: number): boolean {
    this.#call(`preCommit ${checkpoint}`);
    return !this.isHeld;
  }
  snapshot(writer: StateWriter): void {
    this.#call('snapshot');
    writer.value(this.calls.length);
  }
  restore(reader: StateReader): void {
    this.#call(`restore ${typeof reader.value()}`);
  }
  complete(checkpoint: number): void {
    this.#call(`complete ${checkpoint}`);
    this.hasUncommitted = false;
    this.#context.wake();
  }
  aborted(checkpoint: number): void {
    this.#call(`aborted ${checkpoint}`);
  }
  close(): void {
    this.calls.push('close');
  }
  release(): void {
    this.isHeld = false;
    this.#context.wake();
  }
  take(): string[] {
    return this.calls.splice(0);
  }
  #call(call: string): void {
    this.calls.push(call);
    if (call === this.breaks) throw new Error(`broken at ${call}`);
  }
}

function started(plan = 'numbers>pass, pass>ledger') {
  const numbers = new Numbers();
  const ledgers: Ledger[] = [];
  const failures: string[] = [];
  const clock = new ManualClock();
  const committed = { times: 0 };
  const kit = runtimeOf(
    {
      numbers,
      pass: () => new Pass(),
      sum: () => new Sum(),
      sink: () => new Sink(),
      ledger: () => ledgers[ledgers.push(new Ledger()) - 1]!,
    },
    {
      clock,
      onFailure: ({ error }) => failures.push((error as Error).message),
      onCommitted: () => committed.times++,
    },
  );
  kit.runtime.mutate(planOf(plan), {});
  kit.settle();
  const [ledger] = ledgers as [Ledger];
  const taken: Snapshot[] = [];
  const aborted: AbortedSnapshot[] = [];
  const keep = (snapshot: Snapshot): void => void taken.push(snapshot);
  const onAborted = (one: AbortedSnapshot): void => void aborted.push(one);
  return { ...kit, numbers, clock, ledger, ledgers, failures, committed, taken, aborted, keep, onAborted };
}
const later = (clock: ManualClock, millis: number): void => clock.advanceTo(clock.now() + millis);
const statesOf = ({ tasks }: Snapshot): Map<string, TaskSnapshot> => new Map(tasks);

test('a sink finishes its transaction at the barrier, before its state is taken, and hears what became of it', () => {
  const { runtime, settle, numbers, ledger, taken, keep } = started();
  numbers.give(3);
  settle();
  runtime.snapshot(keep, 'changes', { checkpoint: 7 });
  settle();
  assert.deepEqual(ledger.take(), ['rows 3', 'flush', 'preCommit 7', 'snapshot']);
  assert.deepEqual([taken[0]!.checkpoint, taken[0]!.declined], [7, []]);
  runtime.complete(7);
  runtime.snapshot(keep, 'changes', { checkpoint: 9 });
  settle();
  runtime.aborted(9);
  assert.deepEqual(ledger.take(), ['complete 7', 'flush', 'preCommit 9', 'snapshot', 'aborted 9']);
});

test('a snapshot without an id, and a mutation, finish transactions for the next checkpoint', () => {
  const { runtime, settle, ledger, ledgers, taken, keep } = started();
  runtime.snapshot(keep, 'changes', { checkpoint: 4 });
  runtime.snapshot(keep);
  settle();
  assert.deepEqual(
    [taken.map(({ checkpoint }) => checkpoint), ledger.take()],
    [
      [4, undefined],
      ['flush', 'preCommit 4', 'snapshot', 'flush', 'preCommit 5', 'snapshot'],
    ],
  );
  // Another text: a new instance takes over.
  const plan = planOf('numbers>pass, pass>ledger', { ledger: 'other' });
  runtime.complete(4);
  runtime.mutate(plan, { handover: { ledger: 'ledger' } });
  settle();
  assert.deepEqual(ledger.take(), ['complete 4', 'flush', 'preCommit 5', 'snapshot', 'close']);
  assert.deepEqual(ledgers[1]!.take(), ['restore number', 'complete 4']);
  runtime.mutate(
    planOf('numbers>pass, pass>ledger, numbers>sink', { ledger: 'other' }),
    { snapshot: 'changes', checkpoint: 6 },
    undefined,
    keep,
  );
  settle();
  assert.deepEqual([ledgers[1]!.take(), taken.at(-1)?.checkpoint], [['flush', 'preCommit 6', 'snapshot'], 6]);
});

test('a mutation that keeps a sink and takes no snapshot does not finish its transaction', () => {
  const { runtime, settle, ledger } = started();
  runtime.mutate(planOf('numbers>pass, pass>ledger, numbers>sink'), {});
  settle();
  assert.deepEqual(ledger.take(), ['flush']);
});

test('restored operators are told at once what is durable', () => {
  const { runtime, settle, numbers, taken, keep } = started();
  numbers.give(3);
  runtime.snapshot(keep, 'full', { checkpoint: 3 });
  settle();
  const again = started('numbers>sink, numbers>ledger2');
  again.runtime.mutate(planOf('numbers>pass, pass>ledger'), { restore: statesOf(taken[0]!), completed: 3 });
  again.settle();
  assert.deepEqual(again.ledgers[1]!.take(), ['restore number', 'complete 3']);
  assert.throws(
    () => again.runtime.snapshot(again.keep, 'changes', { checkpoint: 3 }),
    (error) => isBrokenInvariant(error) && /ids of checkpoints grow/.test(error.message),
  );
});

test('a barrier waits for preCommit; other branches go on', () => {
  const { runtime, settle, numbers, ledger, taken, keep } = started('numbers>pass, pass>ledger, numbers>sum');
  ledger.isHeld = true;
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  numbers.give(10);
  settle();
  assert.deepEqual([taken, ledger.take()], [[], ['flush', 'preCommit 1']]);
  assert.deepEqual(
    runtime.waitsFor()!.tasks.map(({ id }) => id),
    ['ledger'],
  );
  ledger.release();
  settle();
  assert.deepEqual(ledger.take(), ['flush', 'preCommit 1', 'snapshot', 'rows 10']);
  assert.equal(taken.length, 1);
});

test('one checkpoint is taken at a time', () => {
  const { runtime, ledger, keep } = started();
  ledger.isHeld = true;
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  assert.throws(
    () => runtime.snapshot(keep, 'changes', { checkpoint: 2 }),
    (error) => isBrokenInvariant(error) && /one checkpoint is taken at a time/.test(error.message),
  );
});

test('a failed task declines, with its operator and its error; its state is in the snapshot all the same', () => {
  const { runtime, settle, numbers, ledger, failures, taken, keep, made } = started(
    'numbers>sum, sum>ledger, numbers>pass',
  );
  numbers.give(3);
  settle();
  (made.get('pass')![0] as Pass).f = () => {
    throw new Error('not this one');
  };
  numbers.give(1);
  settle();
  ledger.breaks = 'preCommit 1';
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  settle();
  assert.deepEqual(failures, ['not this one', 'broken at preCommit 1']);
  assert.deepEqual(
    taken[0]!.declined.toSorted((a, b) => (a.task < b.task ? -1 : 1)),
    [
      { task: 'ledger', node: 'ledger', reason: 'broken at preCommit 1' },
      { task: 'pass', node: 'pass', reason: 'not this one' },
    ],
  );
  assert.deepEqual([...taken[0]!.tasks.keys()].toSorted(), ['ledger', 'numbers', 'pass', 'sum']);
  ledger.take();
  // What it had finished before it failed may be in a checkpoint.
  runtime.complete(1);
  assert.deepEqual(ledger.take(), ['complete 1']);
});

test('an operator that cannot be written declines, and so does one that had failed in an earlier life', () => {
  const { runtime, settle, ledger, taken, keep } = started();
  ledger.breaks = 'snapshot';
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  settle();
  assert.match(
    taken[0]!.declined.map(({ task, reason }) => `${task}: ${reason}`).join(),
    /^ledger: .*broken at snapshot/,
  );
  const again = started('numbers>sink');
  again.runtime.mutate(planOf('numbers>pass, pass>ledger'), { failed: new Set(['ledger']) });
  again.runtime.snapshot(again.keep, 'changes', { checkpoint: 1 });
  again.settle();
  assert.deepEqual(again.taken[0]!.declined, [
    { task: 'ledger', node: 'ledger', reason: 'It had failed before the restart.' },
  ]);
});

test('a barrier that waits too long is given up: its tasks go on, and the next checkpoint is whole', () => {
  const { runtime, settle, numbers, clock, ledger, taken, aborted, keep, onAborted } = started(
    'numbers>pass, pass>ledger, numbers>sum',
  );
  ledger.isHeld = true;
  numbers.give(5);
  settle();
  const epoch = runtime.snapshot(keep, 'changes', { checkpoint: 1, timeoutMillis: 1000, onAborted });
  settle();
  assert.equal(runtime.nextTick, clock.now() + 1000);
  later(clock, 999);
  settle();
  assert.deepEqual([aborted, runtime.snapshotsInFlight], [[], 1]);
  later(clock, 1);
  numbers.give(5);
  settle();
  assert.deepEqual(aborted, [{ epoch, checkpoint: 1, heldBy: ['ledger'] }]);
  assert.deepEqual([taken, runtime.snapshotsInFlight, runtime.barriersInFlight], [[], 0, 0]);
  assert.deepEqual(ledger.take(), ['rows 5', 'flush', 'preCommit 1', 'aborted 1', 'rows 5']);
  ledger.isHeld = false;
  runtime.snapshot(keep, 'changes', { checkpoint: 2, onAborted });
  settle();
  assert.deepEqual([...taken[0]!.tasks.keys()].toSorted(), ['ledger', 'numbers', 'pass', 'sum']);
  assert.deepEqual([aborted.length, runtime.nextTick], [1, Infinity]);
});

test('without a time-out of its own a snapshot is given up after ten minutes, and never if nobody would hear of it', () => {
  for (const isHeard of [true, false]) {
    const { runtime, settle, clock, ledger, taken, aborted, keep, onAborted } = started();
    ledger.isHeld = true;
    runtime.snapshot(keep, 'changes', isHeard ? { checkpoint: 1, onAborted } : { checkpoint: 1 });
    settle();
    later(clock, 600_000 - 1);
    settle();
    assert.deepEqual(aborted, []);
    later(clock, 1_000_000);
    settle();
    assert.equal(aborted.length, isHeard ? 1 : 0);
    ledger.release();
    settle();
    assert.equal(taken.length, isHeard ? 0 : 1);
  }
});

test('the mutation of a snapshot that was given up is done all the same', () => {
  const { runtime, settle, clock, ledger, ledgers, taken, aborted, keep, onAborted } = started();
  ledger.isHeld = true;
  let mutated = 0;
  const plan = planOf('numbers>pass, pass>ledger, numbers>sum, sum>ledger2');
  runtime.mutate(plan, { snapshot: 'changes', checkpoint: 1, timeoutMillis: 50, onAborted }, () => mutated++, keep);
  settle();
  assert.equal(mutated, 1);
  later(clock, 50);
  settle();
  assert.deepEqual([aborted.map(({ heldBy }) => heldBy), taken, ledgers.length], [[['ledger']], [], 2]);
  runtime.snapshot(keep, 'changes', { checkpoint: 2 });
  ledger.release();
  settle();
  assert.deepEqual([...taken[0]!.tasks.keys()].toSorted(), ['ledger', 'ledger2', 'numbers', 'pass', 'sum']);
});

test('a task that has ended gives its state, and commits its last rows with the last checkpoint', () => {
  const { runtime, settle, ledger, taken, keep, committed, numbers } = started();
  Object.assign(numbers, { poll: endsAfter(numbers, 4) });
  numbers.give(4);
  settle();
  assert.deepEqual(
    [...runtime.tasks.values()].map(({ status }) => status),
    ['ended', 'ended', 'ended'],
  );
  assert.deepEqual([runtime.hasUncommitted, committed.times], [true, 0]);
  ledger.isHeld = true;
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  settle();
  assert.equal(taken.length, 0);
  ledger.release();
  settle();
  assert.deepEqual([...taken[0]!.tasks.keys()].toSorted(), ['ledger', 'numbers', 'pass']);
  assert.deepEqual([runtime.hasUncommitted, committed.times], [true, 0]);
  runtime.complete(1);
  settle();
  assert.deepEqual([runtime.hasUncommitted, committed.times], [false, 1]);
  assert.deepEqual(ledger.take(), ['rows 4', 'flush', 'preCommit 1', 'preCommit 1', 'snapshot', 'complete 1']);
});
function endsAfter(numbers: Numbers, count: number): () => 'more' | 'wait' | 'end' {
  const poll = numbers.poll.bind(numbers);
  return () => {
    const answer = poll();
    return numbers.next >= count ? 'end' : answer;
  };
}

test('a task that fails at its last checkpoint, after its end, is a failure', () => {
  const { runtime, settle, ledger, taken, keep, numbers, failures } = started();
  Object.assign(numbers, { poll: endsAfter(numbers, 4) });
  numbers.give(4);
  settle();
  ledger.breaks = 'preCommit 1';
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  settle();
  assert.deepEqual(
    [failures, taken[0]!.declined.length, runtime.hasUncommitted],
    [['broken at preCommit 1'], 1, false],
  );
});

test('a sink that is removed stays until its rows are committed', () => {
  const { runtime, settle, ledger, keep, committed, numbers } = started('numbers>pass, pass>ledger, numbers>sink');
  numbers.give(4);
  settle();
  const { edges, nodes, version } = runtime.plan;
  const asSink = (node: PlanNode): PlanNode =>
    node.id === 'ledger'
      ? Object.assign({}, node, { kind: 'fileSink', parameters: { path: '/', format: 'csv' } })
      : node;
  runtime.mutate({ version, edges, nodes: nodes.map(asSink) }, {});
  settle();
  runtime.mutate(planOf('numbers>sink'), { snapshot: 'changes', checkpoint: 1 }, undefined, keep);
  settle();
  assert.deepEqual(ledger.take(), ['rows 4', 'flush', 'flush', 'preCommit 1', 'snapshot']);
  assert.deepEqual([runtime.hasUncommitted, runtime.hasLeaving, committed.times], [true, false, 0]);
  runtime.complete(1);
  settle();
  assert.deepEqual([ledger.take(), runtime.hasUncommitted, committed.times], [['complete 1', 'close'], false, 1]);
});
