// Barriers on their way through the tasks: which tasks have still to pass, and when a mutation and
// a snapshot are complete.
//
//             ┌─ changing ──all tasks that change have passed────────► mutated ───────────┐
//   entered ──┼─ gathering ─all tasks the snapshot waits for passed──► gathered ─in turn──┼─► over
//             └─ passing ───all tasks have passed─────────────────────────────────────────┘
//
// A gathered snapshot is reported when it is written, its mutation is done, and no earlier snapshot
// is in flight. The entries of a task are written in slices after the task has passed.
// The three go on side by side. A task leaves all of them when it passes the barrier, or when it is
// forgotten: it was cut off, and the barrier goes on without it. A successor that is aligned waits
// for the state of the task that it replaces, and passes when it has inherited that state.
import type { Progress } from '../contract/source.ts';
import { invariant } from '../errors/invariant.ts';
import { blockingTasks } from './blocked-snapshot.ts';
import type { Barrier, Channel } from './channel.ts';
import { type AbortedSnapshot, type Declined, defaultTimeoutMillis, type SnapshotLife } from './checkpoint.ts';
import type { RetiredPart, RetiredTasks } from './retired-tasks.ts';
import { isSinkTask } from './sink-drain.ts';
import type { ReadBySource } from './source-progress.ts';
import type { SnapshotInFlight, TaskSnapshot } from './snapshot.ts';
import type { Task } from './task.ts';
import type { Trace } from './trace.ts';
import type { UnreportedParts } from './unreported-parts.ts';

/** What one task does at the barrier of a mutation. */
export interface Flip {
  readonly outputs?: ReadonlyMap<string, readonly Channel[]>;
  readonly inputs?: readonly (Channel | undefined)[];
  /** It goes away; the successor takes over its state. */
  readonly removed?: { readonly successor?: Task };
}
export interface MutationResult {
  readonly epoch: number;
  /** Where each source stood when the barrier entered: source instance → position. */
  readonly positions: Readonly<Record<string, string>>;
  /** Tasks that were created; all others are the same objects as before. */
  readonly created: readonly string[];
  /**
   * New reader of a running task → the watermark at which it came: it has not seen what was before.
   */
  readonly joinedAt: Readonly<Record<string, number>>;
  /**
   * Checkpoints of barriers before this one that were given up, because the graph is already
   * another one. Absent: none.
   */
  readonly givenUp?: readonly number[];
  /**
   * The change goes on behind a sink that waits for its target: how far each source had read when
   * it passed the barrier. Absent: all of the change is done.
   */
  readonly read?: ReadBySource;
}
export interface Snapshot {
  readonly epoch: number;
  /** Time of this thread that writing it took. */
  readonly millis: number;
  readonly tasks: ReadonlyMap<string, TaskSnapshot>;
  readonly checkpoint?: number | undefined;
  /**
   * Tasks that had failed at the barrier. Their state as it failed is among `tasks`. What they
   * missed is in no state, so who restarts a job must not complete this checkpoint.
   */
  readonly declined: readonly Declined[];
  /** Removed sinks that have still to commit. */
  readonly retired: readonly RetiredPart[];
}
/** What a barrier is for. A barrier that only snapshots has none of the parts of a mutation. */
export interface BarrierPurpose extends SnapshotLife {
  readonly snapshot: false | 'changes' | 'full';
  readonly flips?: ReadonlyMap<Task, Flip>;
  readonly created?: readonly Task[];
  readonly successors?: ReadonlySet<Task>;
  /** State of new instances, from an earlier life. */
  readonly restore?: ReadonlyMap<string, TaskSnapshot> | undefined;
  /** New instances that had failed in that life. */
  readonly failed?: ReadonlySet<string> | undefined;
  readonly onMutated?: ((result: MutationResult) => void) | undefined;
  readonly onSnapshot?: ((snapshot: Snapshot) => void) | undefined;
}

/** What all barriers in flight have together. `now`: when this one enters. */
interface SharedParts {
  readonly unreported: UnreportedParts;
  readonly retired: RetiredTasks;
  readonly now: number;
  readonly trace?: Trace['barriers'];
}

/** Entries are written this long at a time: records of all tasks wait meanwhile. */
const sliceMillis = 2;

export class BarrierInFlight {
  readonly barrier: Barrier;
  readonly enteredAt = performance.now();
  /** Where sources stood when they passed. */
  readonly positions: Record<string, string> = {};
  readonly joinedAt: Record<string, number> = {};
  readonly #read: Record<string, Progress> = {};
  readonly #passing: Set<Task>;
  /** Those of them that have to pass before the snapshot is complete. */
  readonly #awaited: Set<Task>;
  /** Those of them that have to pass before the mutation is done. */
  readonly #changing: Set<Task>;
  readonly #flips: Map<Task, Flip>;
  readonly #created: ReadonlySet<string>;
  readonly #successors: ReadonlySet<Task>;
  readonly #restore: ReadonlyMap<string, TaskSnapshot>;
  readonly #failed: ReadonlySet<string>;
  readonly #inherited = new Map<Task, TaskSnapshot>();
  /** Successors that are aligned but wait for the state. */
  readonly #waiting = new Set<Task>();
  #snapshots = new Map<Task, TaskSnapshot>();
  readonly #declined = new Map<Task, Declined>();
  readonly #unreported: UnreportedParts;
  readonly #retired: RetiredTasks;
  /** Tasks that have passed and whose entries are not all written. */
  readonly #writing = new Map<Task, SnapshotInFlight>();
  #snapshotMillis = 0;
  #onMutated: BarrierPurpose['onMutated'];
  #onSnapshot: BarrierPurpose['onSnapshot'];
  #onAborted: BarrierPurpose['onAborted'];
  /** By the runtime's clock. */
  readonly deadline: number;
  /** The snapshot was given up: nobody waits for the state of a task. */
  isGivenUp = false;
  readonly #trace: Trace['barriers'];

  constructor(
    barrier: Barrier,
    purpose: BarrierPurpose,
    passing: ReadonlySet<Task>,
    awaited: ReadonlySet<Task>,
    { unreported, retired, now, trace }: SharedParts,
  ) {
    this.barrier = barrier;
    this.#unreported = unreported;
    this.#retired = retired;
    this.#onAborted = purpose.onAborted;
    this.deadline = purpose.onAborted ? now + (purpose.timeoutMillis ?? defaultTimeoutMillis) : Infinity;
    this.#trace = trace;
    this.#passing = new Set(passing);
    this.#awaited = new Set(awaited);
    this.#flips = new Map(purpose.flips);
    this.#changing = new Set([...(purpose.created ?? []), ...this.#flips.keys()]);
    this.#created = new Set(purpose.created?.map(({ id }) => id));
    this.#successors = purpose.successors ?? new Set();
    this.#restore = purpose.restore ?? new Map<string, TaskSnapshot>();
    this.#failed = purpose.failed ?? new Set();
    this.#onMutated = purpose.onMutated;
    this.#onSnapshot = purpose.onSnapshot;
    for (const task of this.#changing) invariant(passing.has(task), 'a task that changes passes the barrier');
    trace?.(
      `${barrier.epoch} enters: snapshot ${barrier.snapshot || 'none'}, ` +
        `${passing.size} tasks pass, ${this.#changing.size} change`,
    );
  }

  isPassing(task: Task): boolean {
    return this.#passing.has(task);
  }
  get isOver(): boolean {
    return this.#passing.size === 0 && !this.#onSnapshot;
  }
  /** Tasks that the snapshot waits for; undefined when there is none, or it is complete. */
  get awaited(): ReadonlySet<Task> | undefined {
    return this.#onSnapshot && this.#awaited;
  }
  flipOf(task: Task): Flip | undefined {
    return this.#flips.get(task);
  }
  /** The task goes at this barrier, and has not passed it. */
  removes(task: Task): boolean {
    return this.#passing.has(task) && this.#flips.get(task)?.removed !== undefined;
  }
  /** Sinks that come, go or change at this barrier and have not passed it. */
  get changingSinks(): readonly Task[] {
    return [...this.#changing].filter(isSinkTask);
  }
  /** The created task has still to get the state of the one that it replaces. */
  lacksState(task: Task): boolean {
    return this.#successors.has(task) && !this.#inherited.has(task);
  }
  /** A sink goes at this barrier and has rows to write, which are in no snapshot yet. */
  get hasSinksToCome(): boolean {
    return this.changingSinks.some((task) => this.removes(task));
  }
  /**
   * A created task that starts without any state: it has not seen the rows of a table that it
   * reads.
   */
  startsEmpty(id: string): boolean {
    return this.#created.has(id) && ![...this.#successors].some((successor) => successor.id === id);
  }
  /** The created task takes over the state of another one. */
  hasInherited(task: Task): boolean {
    return this.#inherited.has(task);
  }
  /** What a created task starts with: the state it inherits, or that of an earlier life. */
  stateOf(task: Task): TaskSnapshot | undefined {
    return this.#inherited.get(task) ?? this.#restore.get(task.id);
  }
  /** An operator of the created task had failed in an earlier life. */
  hadFailed(task: Task): boolean {
    return this.#failed.size > 0 && task.chain.nodes.some(({ id }) => this.#failed.has(id));
  }

  // ------------------------------------------------------------ transitions

  /**
   * A created task is aligned. True: it is a successor and its state has not come, so it does not
   * pass yet.
   */
  waitsForState(task: Task): boolean {
    if (!this.#successors.has(task) || this.#inherited.has(task)) return false;
    this.#waiting.add(task);
    return true;
  }
  /**
   * The predecessor has given its state. True: the successor has waited for it and may pass now.
   */
  inherit(successor: Task, state: TaskSnapshot): boolean {
    invariant(this.#successors.has(successor), 'only a successor inherits a state');
    this.#inherited.set(successor, state);
    return this.#waiting.delete(successor);
  }
  /**
   * The task stands at the barrier: what it holds belongs to the snapshot. Nothing is written for a
   * snapshot that is complete without the task.
   */
  snapshotTask(task: Task): void {
    if (!this.barrier.snapshot) return;
    if (!this.#onSnapshot) return task.passWithoutSnapshot();
    const began = performance.now();
    const begun = task.beginSnapshot(this.barrier.snapshot === 'full');
    this.#snapshotMillis += performance.now() - began;
    this.#noteFailure(task);
    if (!begun) return;
    this.#writing.set(task, begun);
    this.write();
  }
  get isWriting(): boolean {
    return this.#writing.size > 0;
  }
  /** Writes entries for one slice of time. */
  write(): void {
    const began = performance.now();
    const isTimeUp = (): boolean => performance.now() - began > sliceMillis;
    for (const [task, begun] of this.#writing) {
      const written = task.written(begun, isTimeUp);
      if (written === 'later') break;
      this.#writing.delete(task);
      if (written) this.#snapshots.set(task, written);
      else this.#noteFailure(task);
      if (isTimeUp()) break;
    }
    this.#snapshotMillis += performance.now() - began;
  }
  #noteFailure(task: Task): void {
    const declined = task.declines();
    if (declined) this.#declined.set(task, declined);
  }
  /** An open source stands at the barrier. */
  notePosition({ id, source }: Task): void {
    if (!source) return;
    this.positions[id] = source.position();
    const progress = this.isMutating ? source.progress?.() : undefined;
    if (progress) this.#read[id] = progress;
  }
  /** The task has forwarded the barrier and done its part of the mutation. */
  passed(task: Task): void {
    invariant(this.#passing.has(task), 'a task passes each barrier once');
    this.#trace?.(`${this.barrier.epoch} has passed ${task.id}`);
    this.#leave(task);
  }
  /** The task was cut off: the barrier goes on without it. */
  forget(task: Task): void {
    if (this.#passing.has(task)) this.#trace?.(`${this.barrier.epoch} goes on without ${task.id}`);
    this.#flips.delete(task);
    this.#waiting.delete(task);
    this.#leave(task);
  }
  #leave(task: Task): void {
    this.#passing.delete(task);
    this.#changing.delete(task);
    this.#awaited.delete(task);
  }
  /** These channels will carry nothing: no reader flips to them. */
  forgetChannels(channels: ReadonlySet<Channel>): void {
    for (const [reader, flip] of this.#flips) {
      if (!flip.inputs?.some((channel) => channel && channels.has(channel))) continue;
      const inputs = flip.inputs.map((channel) => (channel && channels.has(channel) ? undefined : channel));
      this.#flips.set(reader, { ...flip, inputs });
    }
  }
  /**
   * Reports what is complete now. Each is reported once, though reporting it may bring the next
   * change. `isNext`: no earlier snapshot is in flight, so that this one may be reported. The
   * snapshot of a mutation has the parts of the next graph, so it is reported after the mutation.
   */
  settle(isNext: boolean): void {
    if (this.#changing.size === 0) this.#mutated();
    const isGathered = this.#awaited.size + this.#changing.size + this.#writing.size === 0;
    if (isNext && isGathered) this.#snapshotComplete();
  }
  get isMutating(): boolean {
    return this.#onMutated !== undefined;
  }
  /**
   * The mutation counts as done, though some tasks change later. Its snapshot still waits for them.
   * `canGoBack`: if this runtime ends first, the change may be undone and made again later.
   */
  goOnBehind(givenUp: readonly number[], canGoBack: boolean): void {
    this.#mutated({ ...(canGoBack && { read: this.#read }), ...(givenUp.length > 0 && { givenUp }) });
  }
  #mutated(behind: Pick<MutationResult, 'givenUp' | 'read'> = {}): void {
    const report = this.#onMutated;
    if (!report) return;
    this.#onMutated = undefined;
    // A successor has seen what was before, in the state that it inherits.
    for (const { id } of this.#successors) delete this.joinedAt[id];
    const { positions, joinedAt } = this;
    this.#trace?.(`${this.barrier.epoch}: the mutation is done`);
    const { epoch } = this.barrier;
    report({ epoch, positions, created: [...this.#created], joinedAt, ...behind });
  }
  #snapshotComplete(): void {
    const report = this.#onSnapshot;
    if (!report) return;
    const { epoch, checkpoint } = this.barrier;
    const own = this.#snapshots;
    const tasks = this.#unreported.reported(epoch, own);
    const retired = this.#retired.parts(epoch, (task) => (own.has(task) ? tasks.get(task.id) : undefined));
    this.#onSnapshot = undefined;
    this.#onAborted = undefined;
    // Their parts of earlier snapshots are not known any more: this one goes without them.
    for (const task of this.#passing) task.forgetSnapshots();
    this.#snapshots = new Map();
    this.#trace?.(`${epoch}: the snapshot of ${tasks.size} tasks is complete`);
    const declined = [...this.#declined.values()];
    const millis = this.#snapshotMillis;
    report({ epoch, ...(checkpoint !== undefined && { checkpoint }), tasks, declined, retired, millis });
  }
  /**
   * The snapshot is given up, and the barrier goes on. What tasks have given belongs to the next
   * one. Returns whom to tell; undefined: the snapshot is complete, or was given up before.
   */
  giveUp(all: readonly Task[]): (() => void) | undefined {
    if (!this.#onSnapshot) return undefined;
    const { epoch, checkpoint } = this.barrier;
    const aborted: AbortedSnapshot = {
      epoch,
      checkpoint,
      heldBy: blockingTasks(this.#awaited, all).map(({ id }) => id),
    };
    const report = this.#onAborted;
    this.isGivenUp = true;
    this.#onSnapshot = undefined;
    this.#onAborted = undefined;
    for (const [task, begun] of this.#writing) {
      const written = task.written(begun, () => false);
      if (written && written !== 'later') this.#snapshots.set(task, written);
    }
    this.#writing.clear();
    this.#unreported.add(epoch, this.#snapshots);
    this.#snapshots = new Map();
    this.#trace?.(`${epoch}: the snapshot is given up, held by ${aborted.heldBy.join()}`);
    for (const task of this.#passing) task.hurry();
    return () => report?.(aborted);
  }
}
