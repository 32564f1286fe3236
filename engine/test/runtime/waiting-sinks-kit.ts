// Sinks whose target takes no rows for a while, and a runtime whose plan is changed meanwhile.
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
    this.wake();
  }
  wake(): void {
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

export const perElement = 10_000;
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

/** The sinks by their names. `own`: what was edited. */
const sinks: Readonly<Record<string, object>> = {
  write: { kind: 'fileSink', parameters: { path: '/', format: 'csv', delivery: 'exactly-once' } },
  call: { kind: 'functionSink', parameters: {} },
};
export function plan(edges: string, own: Readonly<Record<string, string>> = {}): Plan {
  const asSink = (node: PlanNode): PlanNode => Object.assign({}, node, sinks[node.id.replace(/\d/, '')]);
  const made = planOf(edges, own);
  return { ...made, nodes: made.nodes.map(asSink) };
}

export class Life {
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
      ...{ sum: () => new Sum(), many: () => new Many(), sink: () => new Sink() },
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
