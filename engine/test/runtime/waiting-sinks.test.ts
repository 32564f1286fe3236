// A sink whose rows become visible by a commit is replaced while its target takes no rows. It waits
// behind the change, and each row is committed once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { Plan, PlanNode } from '../../graph/plan.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { hasRead } from '../../runtime/source-progress.ts';
import { Numbers, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

/** What sinks write to. While it is away, they take `room` rows and write none. */
class Target {
  isAway = false;
  room = Infinity;
  readonly committed: unknown[] = [];
  readonly waiting = new Set<OperatorContext>();
  comeBack(): void {
    this.isAway = false;
    this.wake();
  }
  wake(): void {
    for (const context of this.waiting) context.wake();
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

const perElement = 10_000;
/** Counts on, many times for each element. */
class Many implements Operator {
  #context!: OperatorContext;
  #count = 0;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    for (let i = from; i < batch.length; i++) {
      do {
        if (this.#context.output.full) return i;
        this.#context.output.emit(this.#count++, batch.timestamps[i]!);
      } while (this.#count % perElement > 0);
    }
    return batch.length;
  }
  snapshot(writer: StateWriter): void {
    writer.value(this.#count);
  }
  restore(reader: StateReader): void {
    this.#count = (reader.value() as number | undefined) ?? 0;
  }
}

const parameters = { path: '/', format: 'csv', delivery: 'exactly-once' } as const;
/** `write` is a sink with transactions. `own`: what was edited. */
function plan(edges: string, own: Readonly<Record<string, string>> = {}): Plan {
  const asSink = (node: PlanNode): PlanNode =>
    node.id.startsWith('write') ? Object.assign({}, node, { kind: 'fileSink', parameters }) : node;
  const made = planOf(edges, own);
  return { ...made, nodes: made.nodes.map(asSink) };
}

class Life {
  readonly target = new Target();
  readonly numbers = new Numbers();
  readonly mutated: number[] = [];
  readonly givenUp: number[] = [];
  /** Of changes that went on behind a sink. */
  readonly read: unknown[] = [];
  readonly snapshots: Snapshot[] = [];
  readonly failures: string[] = [];
  readonly #kit = runtimeOf(
    {
      numbers: this.numbers,
      sum: () => new Sum(),
      many: () => new Many(),
      sink: () => new Sink(),
      write: () => new Writer(this.target),
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
      ({ givenUp = [], read }) => {
        this.mutated.push(checkpoint);
        if (read) this.read.push(read);
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

test('a change that goes on behind a sink says how far each source had read, and whether it has again', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write']);
  life.give(3);
  life.look(2);
  const read = { numbers: { n: 4 } };
  assert.deepEqual(life.read, [read]);
  const next = new Life();
  next.change(plan('numbers>write, numbers>sink'));
  const isThere = (): boolean => hasRead(next.runtime.tasks, read);
  next.give(3);
  assert.equal(isThere(), false);
  next.give(1);
  assert.equal(isThere(), true);
  // Nobody waits for a source that is gone.
  assert.equal(hasRead(next.runtime.tasks, { another: { n: 4 } }), true);
  assert.equal(hasRead(next.runtime.tasks, { numbers: { n: 4, other: 0 } }), false);
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

/** The writer of `many` takes a row at each look. Its operators have more than their channels take. */
function takesSlowly(life: Life, groups?: readonly string[]): void {
  const edges = 'numbers>many, many>write';
  life.change(plan(edges));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(3);
  life.change(plan(edges, { many: 'edited', write: 'edited' }), ['many', 'write'], groups);
  for (let looks = 0; looks < 40; looks++) {
    life.target.room += 1;
    life.target.wake();
    life.settle();
    life.look();
  }
}

test('operators above a sink that takes rows slowly keep theirs, however long it takes', () => {
  const life = new Life();
  takesSlowly(life);
  assert.deepEqual([life.mutated, life.failures], [[1, 2], []]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  // A difference of so many rows takes a minute to print.
  assert.equal(life.target.committed.length, 3 * perElement);
  assert.ok(life.target.committed.every((row, n) => row === n));
});

test('an operator above a slow sink that never ends is stopped, and the change goes on', () => {
  const life = new Life();
  takesSlowly(life);
  assert.equal(life.checkpoints.length, 1);
  const leaving = [...life.runtime.leaving].filter(({ isInsideCall }) => isInsideCall);
  assert.deepEqual(
    leaving.map(({ id }) => id),
    ['many', 'write'],
  );
  leaving[0]!.interrupt(new Error('Interrupted.'));
  life.comeBack();
  assert.deepEqual([life.checkpoints, life.failures, [...life.runtime.leaving]], [[1, 2], ['Interrupted.'], []]);
});

test('operators above a slow sink whose cell is gone have 30 s', () => {
  const life = new Life();
  takesSlowly(life, ['numbers', 'many']);
  assert.deepEqual(life.mutated, [1, 2]);
  assert.match(life.failures.join(), /rows were not written/);
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
