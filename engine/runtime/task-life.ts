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
import type { Operator, OperatorStatus, Stage, StateReader } from '../contract/operator.ts';
import type { Source } from '../contract/source.ts';
import { messageOf } from '../errors/thrown.ts';
import type { Chain } from '../graph/chains.ts';
import type { Declined } from './checkpoint.ts';
import { kinds } from '../graph/kinds.ts';
import { Collector } from './collector.ts';
import type { StageCounters } from './fuse.ts';
import { InputGate } from './input-gate.ts';
import type { ProcessCall } from './task-call.ts';
import type { OpenContext } from './task-context.ts';
import { emptySnapshot, readSnapshot, type SnapshotInFlight, type TaskSnapshot, unchanged } from './snapshot.ts';
import { SluiceError } from '../errors/error.ts';
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
  /** The part of `recordsIn` that no rate counts. */
  contentIn = 0;
  /** Whether or not somebody reads them. */
  late = 0;
  lateDropped = 0;
  watermark = -Infinity;
  /** It has closed its inputs, because nobody read it or because it had enough. */
  isDormant = false;
  /**
   * Of a sink whose cell is deleted: its rows wait while the deletion may be undone, and then they
   * go with it.
   */
  intake: 'takes' | 'holds' | 'discards' = 'takes';
  readonly #head: TaskHead;
  /**
   * No snapshot of this task is known, because its state came from elsewhere or its last snapshot
   * was not kept. So the next one is whole.
   */
  #isWholeNext = false;
  /** Its state could not be written. The operator has failed, and it is not asked again. */
  #isUnwritable = false;
  /** State of an operator that failed in an earlier life. The operator itself is never opened. */
  #unopened: SnapshotInFlight | undefined;
  /** Its operator was opened, so it can be asked for its status and must be closed. */
  isOpen = false;
  #failure: TaskFailure | undefined;
  /** It has ended, and its last rows are not committed: it may still fail. */
  #hasRowsToCommit = false;

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
  protected abstract context(): OpenContext;
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
    this.load.beginTurn(this.recordsIn - this.contentIn, this.output.recordsOut - this.output.contentOut, now);
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
    this.guard(() => this.#open(state, snapshot));
  }
  /** An operator that fails here is closed, and asked for nothing more. Its state stays known. */
  #open(state: StateReader | undefined, snapshot: TaskSnapshot | undefined): void {
    try {
      this.#head.open(this.context(), this.output, state);
    } catch (error) {
      this.isOpen = false;
      this.#unopened = unchanged(snapshot ?? emptySnapshot());
      try {
        this.#head.close();
      } catch {
        // It has nothing of what it would close.
      }
      throw error;
    }
  }
  /**
   * Its operator failed in an earlier life and stays failed. What the operator held stays known,
   * for a successor.
   */
  stayFailed(snapshot: TaskSnapshot | undefined): void {
    this.status = 'failed';
    this.#failure = { node: this.id, error: new SluiceError('failed-before', 'It had failed before the restart.') };
    this.output.hasFailed = true;
    this.#unopened = unchanged(snapshot ?? emptySnapshot());
  }
  /**
   * Its state at a barrier; the entries are still to be written (`written`). undefined: it cannot
   * be written, and the operator has failed, alone.
   */
  beginSnapshot(isFull: boolean): SnapshotInFlight | undefined {
    if (this.#unopened) return this.#unopened;
    if (this.#isUnwritable) return undefined;
    const isWhole = isFull || this.#isWholeNext;
    this.#isWholeNext = false;
    return this.#writing(() => this.#head.snapshot(isWhole, this.output.lastWatermark, this.gate.snapshot()));
  }
  passWithoutSnapshot(): void {
    if (this.isOpen && !this.isClosed) this.guard(() => this.#head.passWithoutSnapshot());
  }
  /** The snapshot when it is written, 'later' when the time is up before. undefined: as above. */
  written(snapshot: SnapshotInFlight, isTimeUp: () => boolean): TaskSnapshot | 'later' | undefined {
    return this.#writing(() => (snapshot.proceed(isTimeUp) ? snapshot.finished() : 'later'));
  }
  /** The whole state, at once. undefined: as above. */
  snapshot(): TaskSnapshot | undefined {
    const begun = this.beginSnapshot(true);
    return begun && this.#writing(() => begun.finished());
  }
  #writing<T>(write: () => T): T | undefined {
    try {
      return write();
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
  /** It has failed, so what it has is not all that it should have. */
  declines(): Declined | undefined {
    if (this.status !== 'failed' || !this.#failure) return undefined;
    const { node, error } = this.#failure;
    return { task: this.id, node, reason: messageOf(error) };
  }

  // ------------------------------------------------------------ checkpoints

  /** It has rows that become visible with a commit. */
  get hasUncommitted(): boolean {
    const isAtWork = this.status === 'running' || this.status === 'ended';
    return isAtWork && this.isOpen && (this.source ?? this.operator)?.hasUncommitted === true;
  }
  /** It has ended, and waits for its last commit. */
  awaitsCommit(): boolean {
    this.#hasRowsToCommit &&= this.hasUncommitted;
    return this.#hasRowsToCommit;
  }
  /** Nothing is left that would be lost if its state left it now. */
  protected preCommit(checkpoint: number): boolean {
    if (!this.isOpen || (this.status !== 'running' && !this.#hasRowsToCommit)) return true;
    // An operator that throws here has failed, and a failed task lets barriers pass.
    return this.guard(() => this.#head.preCommit(checkpoint)) ?? true;
  }
  complete(checkpoint: number): void {
    if (this.isOpen && !this.isClosed) this.guard(() => this.#head.complete(checkpoint));
  }
  aborted(checkpoint: number): void {
    if (this.isOpen && !this.isClosed) this.guard(() => this.#head.aborted(checkpoint));
  }
  /** It was removed, and stays for its last commit. */
  retire(): void {
    this.#closeInputs();
    this.dropCall(false);
    this.status = 'ended';
    this.#hasRowsToCommit = true;
  }

  /** It leaves, and writes nothing of what it has not taken. A barrier still passes. */
  discardRows(): void {
    this.intake = 'discards';
    this.dropCall(true);
  }
  #closeInputs(): void {
    for (const slot of this.gate.slots) slot.channel?.close();
  }
  close(): void {
    if (this.status === 'closed') return;
    this.status = 'closed';
    this.#closeInputs();
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
    this.#closeInputs();
    this.output.watermark(Infinity);
    this.watermark = Infinity;
    this.end();
  }
  protected end(): void {
    this.status = 'ended';
    this.#hasRowsToCommit = this.hasUncommitted;
    this.output.mark({ kind: 'end' });
    this.hasEnded();
  }
  /** Ends the operator from outside, as if it had thrown. */
  interrupt(error: unknown): void {
    this.fail(error);
  }
  /** Partitions of a source have failed, and the source goes on with the others. */
  partsFailed(partitions: readonly string[], error: unknown): void {
    if (this.status === 'running') this.hasFailed({ node: this.id, error, partitions });
  }
  /** `call`: the operator was processing its batch. */
  protected fail(error: unknown, call?: ProcessCall): void {
    const nodes = this.chain.nodes.map(({ id }) => id);
    this.#fail(failureOf(error, this.#head, nodes, call));
  }
  #fail(failure: TaskFailure): void {
    if (this.status !== 'running' && this.status !== 'created' && !this.#hasRowsToCommit) return;
    this.#hasRowsToCommit = false;
    this.status = 'failed';
    this.#failure = failure;
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
