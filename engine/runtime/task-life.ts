// The life of a task, from its first barrier to its end: it opens, snapshots, ends, fails and
// closes its operators.
//
//   created ─barrier of its mutation─► running ─┬─inputs have ended, or it wants no more─► ended
//      │                                        ├─its operator throws────────────────────► failed
//      ├─a successor waits for its state        └─replaced or removed, at the barrier────► closed
//      └─it had failed in an earlier life───────────────────────────────────────────────► failed
//
// Ended and failed tasks still forward barriers, and discard records. The loop of a task is
// task.ts.
import type { Batch, Operator, OperatorContext, OperatorStatus, Stage } from '../contract/operator.ts';
import type { Source, SourceContext } from '../contract/source.ts';
import type { Chain } from '../graph/chains.ts';
import { kinds } from '../graph/kinds.ts';
import { Collector } from './collector.ts';
import type { StageCounters } from './fuse.ts';
import { InputGate } from './input-gate.ts';
import { readSnapshot, type TaskSnapshot } from './snapshot.ts';
import { failureOf, type TaskFailure, unwritable } from './task-failure.ts';
import { type Head, TaskHead } from './task-head.ts';
import { TaskLoad } from './task-load.ts';

export abstract class TaskLife {
  /** Of the last mutation: its operators never change, the tasks that it reads may. */
  chain: Chain;
  status: 'created' | 'running' | 'ended' | 'failed' | 'closed' = 'created';
  readonly output = new Collector();
  readonly gate: InputGate;
  readonly load = new TaskLoad(performance.now());
  readonly operator: Operator | undefined;
  readonly source: Source | undefined;
  recordsIn = 0;
  lateDropped = 0;
  watermark = -Infinity;
  /** It has closed its inputs, because nobody read it or because it had enough. */
  isDormant = false;
  readonly #head: TaskHead;
  /**
   * No snapshot of this task is known, because its state came from elsewhere or its last snapshot
   * was not kept. So the next one is whole.
   */
  #isWholeNext = false;
  /** Its state could not be written. The operator has failed, and it is not asked again. */
  #isUnwritable = false;
  /** State of an operator that failed in an earlier life. The operator itself is never opened. */
  #unopened: TaskSnapshot | undefined;
  /** Its operator was opened, so it can be asked for its status and must be closed. */
  isOpen = false;

  constructor(chain: Chain, head: Head, stages: readonly Stage[], epoch: number) {
    this.chain = chain;
    const inputs = chain.inputs.map((edge) => edge.input);
    this.gate = new InputGate(inputs, epoch);
    this.#head = new TaskHead(head, stages, this.output);
    this.operator = this.#head.operator;
    this.source = this.#head.source;
    if (this.operator && kinds[chain.nodes[0]!.kind].keepsOrigin) this.output.head = this.operator;
  }

  /** What its operator may ask of it. */
  protected abstract context(): OperatorContext & Pick<SourceContext, 'inBatches'>;
  /** The unfinished call ends without its operator. `hasFailed`: a barrier still goes on. */
  protected abstract dropCall(hasFailed: boolean): void;
  protected abstract hasFailed(failure: TaskFailure): void;
  protected abstract hasEnded(): void;

  get id(): string {
    return this.chain.id;
  }
  get isSource(): boolean {
    return this.source !== undefined;
  }
  get isRunning(): boolean {
    return this.status === 'running';
  }
  get isClosed(): boolean {
    return this.status === 'closed';
  }
  /** Counters of the stages behind (or instead of) the head. */
  get stages(): StageCounters | undefined {
    return this.#head.counters;
  }
  /** Calls to the outside without an answer. */
  get inFlight(): number {
    return this.status === 'running' ? (this.operator?.status?.().inFlight ?? 0) : 0;
  }
  /** Nothing is on its way to the outside. Failed and ended tasks have nothing there. */
  isDrained(): boolean {
    return this.status !== 'running' || (this.operator?.flush?.() ?? true);
  }
  get waitsForRoom(): boolean {
    return this.status === 'running' && !this.output.hasRoom;
  }
  beginTurn(now: number): void {
    this.load.beginTurn(this.recordsIn, this.output.recordsOut, now);
  }
  operatorStatus(): OperatorStatus | undefined {
    return this.isOpen ? this.#head.status() : undefined;
  }

  /** Opens the head, with the state of a predecessor or of an earlier life when there is one. */
  restore(snapshot: TaskSnapshot | undefined): void {
    this.status = 'running';
    this.isOpen = true;
    this.#isWholeNext = snapshot !== undefined;
    const state = snapshot && readSnapshot(snapshot);
    if (snapshot?.gate) this.gate.restore(snapshot.gate);
    this.guard(() => this.#head.open(this.context(), this.output, state));
  }
  /**
   * Its operator failed in an earlier life and stays failed. What the operator held stays known,
   * for a successor.
   */
  stayFailed(snapshot: TaskSnapshot | undefined): void {
    this.status = 'failed';
    this.output.hasFailed = true;
    this.#unopened = snapshot ?? { full: true, groups: new Map(), watermark: -Infinity };
  }
  /** undefined: its state cannot be written. Then the operator has failed, alone. */
  snapshot(isFull: boolean): TaskSnapshot | undefined {
    if (this.#unopened) return this.#unopened;
    if (this.#isUnwritable) return undefined;
    const isWhole = isFull || this.#isWholeNext;
    this.#isWholeNext = false;
    try {
      return this.#head.snapshot(isWhole, this.output.lastWatermark, this.gate.snapshot());
    } catch (error) {
      this.#isUnwritable = true;
      this.#fail({ node: this.chain.nodes[0]!.id, error: unwritable(error, this.chain.nodes[0]!.name) });
      return undefined;
    }
  }
  /** Its last snapshot was not kept. */
  forgetSnapshots(): void {
    this.#isWholeNext = true;
  }
  close(): void {
    if (this.status === 'closed') return;
    this.status = 'closed';
    for (const slot of this.gate.slots) slot.channel?.close();
    this.dropCall(false);
    if (!this.isOpen) return;
    try {
      this.#head.close();
    } catch {
      // The task goes away; an error of its close is ignored.
    }
  }

  /** The operator wants no more, or nobody reads it: inputs are closed, downstream gets the end. */
  protected finish(): void {
    if (this.status !== 'running') return;
    this.isDormant = true;
    this.dropCall(false);
    this.output.finished = true;
    this.output.flush();
    for (const slot of this.gate.slots) slot.channel?.close();
    this.output.watermark(Infinity);
    this.watermark = Infinity;
    this.end();
  }
  protected end(): void {
    this.status = 'ended';
    this.output.mark({ kind: 'end' });
    this.hasEnded();
  }
  /** Ends the operator from outside, as if it had thrown. */
  interrupt(error: unknown): void {
    this.fail(error);
  }
  /** `batch`: the operator was processing it. */
  protected fail(error: unknown, batch?: Batch): void {
    const nodes = this.chain.nodes.map(({ id }) => id);
    this.#fail(failureOf(error, this.#head, nodes, batch));
  }
  #fail(failure: TaskFailure): void {
    if (this.status !== 'running' && this.status !== 'created') return;
    this.status = 'failed';
    this.output.hasFailed = true;
    this.output.flush();
    this.dropCall(true);
    this.hasFailed(failure);
  }
  /** Runs user code; an exception ends this operator, never the runtime. undefined: it threw. */
  guard<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }
}
