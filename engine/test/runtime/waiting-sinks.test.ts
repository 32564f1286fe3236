// A sink is replaced while its target takes no rows. It waits behind the change, and each row is
// written once, or committed once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { Plan, PlanNode } from '../../graph/plan.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { Numbers, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

/** What sinks write to. While it is away, they take `room` rows and write none. */
class Target {
  isAway = false;
  room = Infinity;
  readonly committed: unknown[] = [];
  readonly waiting = new Set<OperatorContext>();
  comeBack(): void {
    this.isAway = false;
    for (const context of this.waiting) context.wake();
  }
}
/** It writes each row when the target is there. Without transactions, and without a state. */
class Caller implements Operator {
  readonly #target: Target;
  #unanswered: unknown[] = [];
  constructor(target: Target) {
    this.#target = target;
  }
  open(context: OperatorContext): void {
    this.#target.waiting.add(context);
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { isAway, room } = this.#target;
    const end = isAway ? Math.min(batch.length, from + Math.max(0, room - this.#unanswered.length)) : batch.length;
    for (let i = from; i < end; i++) this.#unanswered.push(batch.values[i]);
    this.flush();
    return end;
  }
  flush(): boolean {
    if (!this.#target.isAway) this.#target.committed.push(...this.#unanswered.splice(0));
    return this.#unanswered.length === 0;
  }
  tick(): boolean {
    this.flush();
    return true;
  }
  status() {
    return { entries: 0, inFlight: this.#unanswered.length };
  }
}
type Pending = readonly [checkpoint: number, rows: readonly unknown[]];
class Writer implements Operator {
  readonly #target: Target;
  #open: unknown[] = [];
  #pending: Pending[] = [];
  #context!: OperatorContext;
  constructor(target: Target) {
    this.#target = target;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#target.waiting.add(context);
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { isAway, room } = this.#target;
    const end = isAway ? Math.min(batch.length, from + Math.max(0, room - this.#open.length)) : batch.length;
    for (let i = from; i < end; i++) this.#open.push(batch.values[i]);
    return end;
  }
  flush(): boolean {
    return !this.#target.isAway || this.#open.length === 0;
  }
  preCommit(checkpoint: number): boolean {
    if (this.#open.length > 0) this.#pending.push([checkpoint, this.#open]);
    this.#open = [];
    return true;
  }
  get hasUncommitted(): boolean {
    return this.#open.length > 0 || this.#pending.length > 0;
  }
  status() {
    return { entries: 0, inFlight: this.#open.length };
  }
  snapshot(writer: StateWriter): void {
    writer.list(this.#pending);
  }
  restore(reader: StateReader): void {
    this.#pending = [...((reader.list() ?? []) as Pending[])];
  }
  complete(id: number): void {
    for (const [checkpoint, rows] of this.#pending) if (checkpoint <= id) this.#target.committed.push(...rows);
    this.#pending = this.#pending.filter(([checkpoint]) => checkpoint > id);
    this.#context.wake();
  }
}

/** The sinks by their names. `own`: what was edited. */
const sinks: Readonly<Record<string, object>> = {
  write: { kind: 'fileSink', parameters: { path: '/', format: 'csv', delivery: 'exactly-once' } },
  call: { kind: 'functionSink', parameters: {} },
};
function plan(edges: string, own: Readonly<Record<string, string>> = {}): Plan {
  const asSink = (node: PlanNode): PlanNode => Object.assign({}, node, sinks[node.id.replace(/\d/, '')]);
  const made = planOf(edges, own);
  return { ...made, nodes: made.nodes.map(asSink) };
}

class Life {
  readonly target = new Target();
  readonly numbers = new Numbers();
  readonly mutated: number[] = [];
  readonly givenUp: number[] = [];
  readonly snapshots: Snapshot[] = [];
  readonly failures: string[] = [];
  readonly #kit = runtimeOf(
    {
      numbers: this.numbers,
      ...{ sum: () => new Sum(), sink: () => new Sink() },
      ...{ write: () => new Writer(this.target), call: () => new Caller(this.target) },
    },
    { onFailure: ({ error }) => this.failures.push((error as Error).message) },
  );
  #checkpoint = 0;

  get runtime() {
    return this.#kit.runtime;
  }
  settle(): void {
    this.#kit.settle();
  }
  give(count: number): void {
    this.numbers.give(count);
    this.settle();
  }
  /** The state of these operators goes over. */
  change(next: Plan, handover: readonly string[] = [], groups?: readonly string[]): void {
    const checkpoint = ++this.#checkpoint;
    this.runtime.mutate(
      next,
      {
        ...{ checkpoint, snapshot: 'changes', handover: Object.fromEntries(handover.map((id) => [id, id])) },
        ...(groups && { groups: new Set(groups) }),
      },
      ({ givenUp = [] }) => {
        this.mutated.push(checkpoint);
        this.givenUp.push(...givenUp);
      },
      (snapshot) => this.snapshots.push(snapshot),
    );
    this.settle();
  }
  snapshot(): void {
    const taken = (snapshot: Snapshot): void => void this.snapshots.push(snapshot);
    this.runtime.snapshot(taken, 'changes', { checkpoint: ++this.#checkpoint });
    this.settle();
  }
  /** As the driver does each second. */
  look(times = 1): void {
    for (let n = 0; n < times; n++) {
      this.runtime.cutLeaving();
      this.settle();
    }
  }
  comeBack(): void {
    this.target.comeBack();
    this.settle();
    this.look(3);
    for (const { checkpoint } of this.snapshots) if (checkpoint !== undefined) this.runtime.complete(checkpoint);
    this.settle();
  }
  get checkpoints(): readonly (number | undefined)[] {
    return this.snapshots.map(({ checkpoint }) => checkpoint);
  }
}
const upTo = (to: number): number[] => Array.from({ length: to }, (_, n) => n);

test('the change is done before the rows are written, its snapshot is not', () => {
  const life = new Life();
  life.change(plan('numbers>write'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write', { write: 'edited' }), ['write']);
  life.give(3);
  assert.deepEqual(life.mutated, [1]);
  life.look(2);
  assert.deepEqual([life.mutated, life.checkpoints, life.failures], [[1, 2], [1], []]);
  assert.deepEqual(
    life.runtime.waitingSinks.map(({ id, unfinished }) => [id, unfinished]),
    [['write', 4]],
  );
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual(life.target.committed, upTo(7));
  assert.deepEqual([life.checkpoints, life.runtime.waitingSinks], [[1, 2, 3], []]);
});

test('each edit of several takes the rows that came while its text counted, in order', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  for (const text of ['b', 'c', 'd']) {
    life.give(2);
    life.change(plan('numbers>write, numbers>sink', { write: text }), ['write']);
    life.look(2);
  }
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  life.give(2);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual(life.target.committed, upTo(8));
  assert.deepEqual(life.failures, []);
});

test('a snapshot of before a change is given up when the change goes on without its sink', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.snapshot();
  life.change(plan('numbers>sink'), [], ['write']);
  life.look(2);
  // The checkpoint would have the state of the sink, and the plan in which there is none.
  assert.deepEqual([life.mutated, life.givenUp, life.checkpoints], [[1, 3], [2], [1]]);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3]]);
  const next = new Life();
  next.runtime.mutate(plan('numbers>sink'), { retired: life.snapshots[1]!.retired, completed: 3 });
  assert.deepEqual(next.target.committed, upTo(4));
});

test('the snapshot of an edit is given up for that of a second edit', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(2);
  life.change(plan('numbers>write, numbers>sink', { write: 'b' }), ['write']);
  life.look(2);
  life.give(2);
  life.change(plan('numbers>write, numbers>sink', { write: 'c' }), ['write']);
  life.look(2);
  assert.deepEqual([life.mutated, life.givenUp], [[1, 2, 3], [2]]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3, 4]]);
});

test('operators that wait for room of the sink keep their rows and their state', () => {
  const life = new Life();
  life.change(plan('numbers>sum, sum>write'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(20_000);
  life.change(plan('numbers>sum, sum>write', { sum: 'edited', write: 'edited' }), ['sum', 'write']);
  life.look(3);
  assert.deepEqual([life.mutated, life.failures], [[1, 2], []]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  let sum = 0;
  assert.deepEqual(
    life.target.committed,
    upTo(20_000).map((n) => (sum += n)),
  );
});

test('no later checkpoint is complete before the rows of a removed sink are in it', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>sink'), [], ['write']);
  life.look(2);
  // It takes too long, and the host tries the next one.
  life.runtime.aborted(2);
  life.settle();
  life.snapshot();
  assert.deepEqual([life.mutated, life.checkpoints], [[1, 2], [1]]);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3]]);
  // The next life would commit them too.
  const next = new Life();
  next.runtime.mutate(plan('numbers>sink'), { retired: life.snapshots[1]!.retired, completed: 3 });
  assert.deepEqual(next.target.committed, upTo(4));
});

test('a sink that stays and loses its input waits behind the change, too, with its successor', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  const withoutInput = (own: Readonly<Record<string, string>>): Plan => {
    const whole = plan('numbers>write, numbers>sink', own);
    const edges = whole.edges.map((edge) => (edge.to === 'write' ? { ...edge, from: '' } : edge));
    return { ...whole, edges };
  };
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write']);
  life.look(2);
  life.change(withoutInput({ write: 'edited' }));
  life.look(2);
  assert.deepEqual([life.mutated, life.checkpoints], [[1, 2, 3], [1]]);
  assert.equal(life.runtime.hasLeaving, true);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  assert.equal(life.runtime.hasLeaving, false);
});

test('a sink whose cell is gone gives up what no checkpoint has, with its successors', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.give(2);
  life.snapshot();
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write'], ['numbers', 'write', 'sink']);
  life.look(2);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.deepEqual(life.mutated, [1, 3, 4]);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(2), [1, 2, 3, 4]]);
});

test('a sink without transactions keeps its rows through several changes, and a new one takes over at once', () => {
  const life = new Life();
  life.change(plan('numbers>call, numbers>sink'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(5);
  life.change(plan('numbers>call, numbers>sink', { call: 'b' }));
  life.look(2);
  life.give(2);
  life.change(plan('numbers>call, numbers>sink', { call: 'c' }));
  life.look(40);
  life.give(2);
  assert.deepEqual([life.mutated, life.failures], [[1, 2, 3], []]);
  assert.deepEqual(
    life.runtime.waitingSinks.map(({ unfinished }) => unfinished),
    [5, 2],
  );
  life.comeBack();
  assert.deepEqual((life.target.committed as number[]).toSorted(), upTo(9));
  assert.deepEqual([life.runtime.waitingSinks, life.runtime.hasLeaving], [[], false]);
  life.snapshot();
  assert.deepEqual(life.checkpoints, [1, 3, 4]);
});

test('a sink without transactions gives its rows up when its cell is gone', () => {
  const life = new Life();
  life.change(plan('numbers>call, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>call, numbers>sink', { call: 'b' }), [], ['numbers', 'call', 'sink']);
  life.look(2);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  assert.deepEqual([life.mutated, life.checkpoints, life.runtime.hasLeaving], [[1, 2, 3], [1, 2, 3], false]);
});

test('rows are given up with the cell also where an operator that stays waits for room', () => {
  const life = new Life();
  const all = ['numbers', 'sum', 'call', 'sink'];
  life.change(plan('numbers>sum, sum>call, numbers>sink'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(20_000);
  life.change(plan('numbers>sum, sum>call, numbers>sink', { call: 'b' }), [], all);
  life.look(2);
  assert.deepEqual(life.mutated, [1, 2]);
  // The cell is deleted: first its input is cut, then it is gone.
  const whole = plan('numbers>sum, sum>call, numbers>sink', { call: 'b' });
  const edges = whole.edges.map((edge) => (edge.to === 'sum' ? { ...edge, from: '' } : edge));
  life.change({ ...whole, edges }, [], all);
  life.look(2);
  assert.deepEqual(life.mutated, [1, 2, 3]);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(10);
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  assert.match(life.failures.join(), /At least \d+ of its rows were not written/);
  assert.deepEqual([life.checkpoints.at(-1), life.runtime.hasLeaving], [4, false]);
});
