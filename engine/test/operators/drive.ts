// Drives one operator as a task does, under a schedule of the test. The schedule sets the room, and
// the steps before which the operator is replaced by one restored from its snapshot. The output is
// the same under every schedule, except for the order of keys within one step.
import type { Kind } from '../../graph/kinds.ts';
import assert from 'node:assert/strict';
import { FunctionTable, type PlanNode } from '../../graph/plan.ts';
import type { FunctionRef, Json, KeySpec } from '../../graph/spec.ts';
import type { Batch, Operator, Output } from '../../contract/operator.ts';
import { createSink } from '../../connectors/sinks.ts';
import { createOperator } from '../../runtime/operator-registry.ts';
import { mergeSnapshots, readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { bytesOf, entriesOf } from '../../state/segment.ts';

export type Step =
  | { readonly records: readonly Timed[]; readonly input?: 0 | 1 }
  | { readonly watermark: number }
  | { readonly clock: number }
  | { readonly idle: boolean };
export type Timed = readonly [value: unknown, timestamp: number];
/** The output of one step; rows in their order. */
export interface Given {
  readonly rows: Timed[];
  readonly late: Timed[];
  /** Of other side outputs, when there are any. */
  aside?: [port: string, value: unknown, timestamp: number][];
  readonly marks: (number | 'idle' | 'active')[];
  countedLate: number;
  finished: boolean;
}
export interface Schedule {
  /** Records that may be emitted per call. */
  readonly room?: number;
  /** Records per call of `process`. */
  readonly batch?: number;
  /** Steps before which the operator is snapshotted and replaced. */
  readonly replaceBefore?: (step: number) => boolean;
  /** Steps before which a snapshot is only taken. */
  readonly snapshotBefore?: (step: number) => boolean;
  /** No operator reads `late`. */
  readonly lateUnread?: boolean;
  readonly freeze?: boolean;
}

export class Program {
  readonly kind: Kind;
  readonly parameters: Readonly<Record<string, Json | undefined>>;
  readonly keys: readonly (KeySpec | undefined)[];
  readonly functions: FunctionTable;
  constructor(
    kind: Kind,
    parameters: Readonly<Record<string, unknown>>,
    keys: readonly (KeySpec | { readonly fn: (element: never) => unknown } | undefined)[] = [],
  ) {
    this.functions = new FunctionTable();
    this.kind = kind;
    this.parameters = this.#lowered(parameters, '') as Readonly<Record<string, Json>>;
    this.keys = keys.map((key, input) => this.#lowered(key, `key${input}`) as KeySpec | undefined);
  }
  operator(): Operator {
    const { kind, parameters } = this;
    const node = { id: 'it', uid: 'it', kind, name: 'it', group: '', parameters, own: '', shape: '' };
    // Tests also give wrong parameters, to test the errors of the operator.
    const given = node as unknown as PlanNode;
    return createSink(given, this.functions) ?? createOperator(given, this.functions, this.keys);
  }
  #lowered(value: unknown, slot: string): unknown {
    if (typeof value === 'function') {
      const reference: FunctionRef = { uid: 'it', slot, textHash: '' };
      this.functions.set(reference, value);
      return reference;
    }
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((inner, at) => this.#lowered(inner, `${slot}.${at}`));
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.#lowered(inner, `${slot}.${name}`)]),
    );
  }
}

class RoomyOutput implements Output {
  given: Given = nothing();
  room = Infinity;
  emitted = 0;
  lateUnread: boolean;
  constructor(lateUnread: boolean) {
    this.lateUnread = lateUnread;
  }
  get full(): boolean {
    return this.emitted >= this.room;
  }
  emit(value: unknown, timestamp: number): void {
    this.#takeRoom();
    this.given.rows.push([value, timestamp]);
  }
  emitTo(port: string, value: unknown, timestamp: number): void {
    this.#takeRoom();
    if (port === 'late') this.given.late.push([value, timestamp]);
    else (this.given.aside ??= []).push([port, value, timestamp]);
  }
  /** Stricter than the contract: an operator that can stop must stop exactly at the limit. */
  #takeRoom(): void {
    assert.ok(this.emitted < this.room, 'a record was emitted though the output was full');
    this.emitted++;
  }
  hasReader(): boolean {
    return !this.lateUnread;
  }
  watermark(time: number): void {
    this.given.marks.push(time);
  }
  idle(): void {
    this.given.marks.push('idle');
  }
  active(): void {
    this.given.marks.push('active');
  }
  finish(): void {
    this.given.finished = true;
  }
}
function nothing(): Given {
  return { rows: [], late: [], marks: [], countedLate: 0, finished: false };
}

export class Driven {
  readonly output: RoomyOutput;
  operator!: Operator;
  now = 0;
  wakeAt = Infinity;
  readonly #program: Program;
  readonly #schedule: Schedule;
  #saved: TaskSnapshot | undefined;
  #checkpoint = 0;

  constructor(program: Program, schedule: Schedule = {}) {
    this.#program = program;
    this.#schedule = schedule;
    this.output = new RoomyOutput(schedule.lateUnread ?? false);
    this.#create();
  }
  #create(): void {
    this.operator = this.#opened();
  }
  #opened(): Operator {
    const operator = this.#program.operator();
    operator.open?.({
      id: 'it',
      uid: 'it',
      name: 'it',
      output: this.output,
      clock: { now: () => this.now },
      freeze: this.#schedule.freeze ?? false,
      wake: () => (this.wakeAt = -Infinity),
      wakeAt: (at) => (this.wakeAt = Math.min(this.wakeAt, at)),
      fail: (error) => {
        throw error;
      },
      countLate: (isRead) => void (this.output.given.countedLate += isRead ? 0 : 1),
    });
    return operator;
  }
  /** What is restored from bytes is written as it was: no operator forgets a part of its state. */
  #checkIdentity(): void {
    const again = this.#opened();
    again.restore?.(readSnapshot(this.saved));
    const writer = new SnapshotWriter(true);
    again.snapshot?.(writer);
    assert.deepEqual(contentOf(writer.done(-Infinity)), contentOf(this.saved), 'a restored state is the saved one');
    again.close?.();
    this.wakeAt = Infinity;
  }

  steps(steps: readonly Step[]): Given[] {
    return steps.map((step, index) => {
      if (this.#schedule.snapshotBefore?.(index)) this.snapshot();
      if (this.#schedule.replaceBefore?.(index)) this.replace(step);
      return this.step(step);
    });
  }
  step(step: Step): Given {
    this.output.given = nothing();
    if ('records' in step) this.#records(step.records, step.input ?? 0);
    else if ('watermark' in step) this.#untilDone(() => this.operator.advance?.(step.watermark) ?? true);
    else if ('idle' in step) this.operator.idle?.(0, step.idle);
    else this.#clock(step.clock);
    return this.output.given;
  }
  #records(records: readonly Timed[], input: 0 | 1): void {
    const size = this.#schedule.batch ?? Math.max(1, records.length);
    for (let from = 0; from < records.length; from += size) {
      const batch = batchOf(records.slice(from, from + size));
      let at = 0;
      let calls = 0;
      while (at < batch.length) {
        this.#begin();
        at = this.operator.process(input, batch, at);
        assert.ok(++calls < 100_000, 'process never comes to an end');
        if (this.output.given.finished) return;
      }
    }
  }
  /** The clock jumps, and the operator is woken for every time it had asked for on the way. */
  #clock(to: number): void {
    while (this.wakeAt <= to) {
      this.now = Math.max(this.now, this.wakeAt);
      this.wakeAt = Infinity;
      this.#untilDone(() => this.operator.tick?.(this.now) ?? true);
    }
    this.now = to;
  }
  #untilDone(call: () => boolean): void {
    for (let calls = 0; ; calls++) {
      this.#begin();
      if (call()) return;
      assert.ok(calls < 100_000, 'the call never comes to an end');
    }
  }
  #begin(): void {
    this.output.emitted = 0;
    this.output.room = this.#schedule.room ?? Infinity;
  }

  snapshot(full = false): void {
    const before = this.output.emitted;
    this.#preCommit();
    const writer = new SnapshotWriter(full);
    this.operator.snapshot?.(writer);
    this.#saved = mergeSnapshots(this.#saved, writer.done(-Infinity));
    this.operator.complete?.(this.#checkpoint);
    assert.equal(this.output.emitted, before, 'a snapshot emits nothing');
  }
  #preCommit(): void {
    assert.ok(this.operator.preCommit?.(++this.#checkpoint) ?? true, 'preCommit waits for nothing here');
  }
  /** Key groups that hold something. */
  get groupsKept(): number[] {
    return [...this.saved.groups].filter(([, chain]) => entriesOf(chain).length > 0).map(([group]) => group);
  }
  /** All snapshots so far as one. */
  get saved(): TaskSnapshot {
    return this.#saved ?? { full: true, groups: new Map(), watermark: -Infinity };
  }
  /** Bytes of the state, written as a whole. */
  get stateBytes(): number {
    const writer = new SnapshotWriter(true);
    this.operator.snapshot?.(writer);
    const { groups, value } = writer.done(-Infinity);
    return (value?.length ?? 0) + [...groups.values()].reduce((sum, chain) => sum + bytesOf(chain), 0);
  }
  /**
   * `wasted`: a step that the operator takes between the barrier and its end, before the entries of
   * the snapshot are written. Its rows are lost.
   */
  replace(wasted?: Step): void {
    const writer = new SnapshotWriter(false);
    const { now } = this;
    this.#preCommit();
    this.operator.snapshot?.(writer);
    const begun = writer.begun(-Infinity);
    if (wasted) this.#waste(wasted);
    this.#saved = mergeSnapshots(this.#saved, begun.finished());
    this.operator.close?.();
    this.now = now;
    this.wakeAt = Infinity;
    this.#checkIdentity();
    this.#create();
    this.operator.restore?.(readSnapshot(this.saved));
    this.operator.complete?.(this.#checkpoint);
  }
  #waste(step: Step): void {
    try {
      this.step(step);
    } catch {
      // The next life throws it again.
    }
  }
  get entries(): number {
    return this.operator.status?.().entries ?? 0;
  }
}

/** The entries in the order of their keys, and the rest. */
function contentOf(snapshot: TaskSnapshot): unknown {
  const reader = readSnapshot(snapshot);
  const byKey = [...reader.entries()].map((entry) => [inText([entry.namespace, entry.tuple]), entry] as const);
  return {
    entries: byKey.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    value: reader.value(),
    splits: reader.splits(),
    list: reader.list(),
    broadcast: reader.broadcast(),
    minimum: reader.minimum(),
  };
}

export function batchOf(records: readonly Timed[]): Batch {
  return {
    length: records.length,
    values: records.map(([value]) => value),
    timestamps: Float64Array.from(records, ([, timestamp]) => timestamp),
  };
}

/** Runs the steps under the schedule on a new operator. */
export function run(program: Program, steps: readonly Step[], schedule?: Schedule): Given[] {
  return new Driven(program, schedule).steps(steps);
}

/** Sorts rows, because keys may come in any order within a step. */
export function canonical(given: readonly Given[]): unknown {
  const sorted = (rows: readonly Timed[]) => rows.map((row) => inText(row)).sort();
  return given.map(({ rows, late, ...rest }) => ({ rows: sorted(rows), late: sorted(late), ...rest }));
}
function inText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
