// The runtime: the tasks of one executor, the turns they get, and the barriers that change them.
//
// A round gives each task with work one turn, readers before writers, so that records on their way
// are taken before more are let in. A barrier is the only way a snapshot is taken and the only way
// the graph changes: `mutate` plans the next graph at once, and each task flips its own part when
// the barrier reaches it (`onBarrier`). Epochs number the barriers. Each task passes each epoch
// once, in order.
import { MicroBatchLog } from '../connectors/micro-batch-log.ts';
import { SourceStarts } from '../connectors/source-starts.ts';
import { type Clock, wallClock } from '../contract/clock.ts';
import { type Chain, chainsOf } from '../graph/chains.ts';
import type { Plan } from '../graph/plan.ts';
import { timeMargins } from '../graph/time-margin.ts';
import { AlignmentGroups } from '../time/watermark-alignment.ts';
import { BarrierPassing } from './barrier-passing.ts';
import type { Flip, MutationResult, Snapshot } from './barriers.ts';
import { blockingTasks } from './blocked-snapshot.ts';
import { invariant } from '../errors/invariant.ts';
import type { SnapshotLife } from './checkpoint.ts';
import type { Barrier } from './channel.ts';
import { Barriers } from './entered-barriers.ts';
import type { MicroBatches } from './micro-batches.ts';
import { describePlan, type MutationPlan, planMutation } from './mutation-plan.ts';
import { type RetiredPart, retiredChain } from './retired-tasks.ts';
import { Rounds } from './rounds.ts';
import { RunningLoops } from './running-loops.ts';
import { RunningTasks } from './running-tasks.ts';
import type { MutateOptions, RuntimeOptions } from './runtime-options.ts';
import { createTask, type TaskParts } from './task-factory.ts';
import type { TaskFailure } from './task-failure.ts';
import type { Task, TaskHost } from './task.ts';
import { attachmentsOf, flipsOf, Wiring } from './wiring.ts';

export class Runtime implements TaskHost {
  readonly clock: Clock;
  readonly freeze: boolean;
  readonly #options: RuntimeOptions;
  readonly #parts: TaskParts;
  readonly #barriers: Barriers;
  readonly #wiring = new Wiring();
  readonly #loops = new RunningLoops();
  readonly #tasks = new RunningTasks();
  readonly #rounds: Rounds;
  readonly #passing: BarrierPassing;
  #isClosed = false;
  /** Some task has ended or gone with rows that are not committed. */
  #awaitsCommits = false;

  constructor(options: RuntimeOptions) {
    const { functions, host, sources, onTurn, trace } = options;
    this.#options = options;
    this.clock = options.clock ?? wallClock;
    this.freeze = options.freeze ?? false;
    const [tasks, loops, log] = [this.#tasks, this.#loops, new MicroBatchLog()];
    // Readers of one source that come later share its start.
    const shared = { starts: new SourceStarts(), alignment: new AlignmentGroups(), batches: log };
    this.#parts = { functions, host, loops, sources: { ...shared, ...sources } };
    this.#barriers = new Barriers(this.#tasks.retired, trace?.barriers);
    this.#rounds = new Rounds({ tasks, loops, clock: this.clock, log, onTurn, credit: trace?.credit });
    this.#passing = new BarrierPassing(tasks, this.#barriers, functions, this);
  }

  // ------------------------------------------------------------ rounds

  /**
   * One slice of a snapshot that is being written, and one turn for each task with work. False:
   * nothing happened; wait for `onWork` or until `nextTick`.
   */
  round(until = Infinity): boolean {
    const hasWritten = this.#barriers.write();
    for (const flight of this.#barriers.overdue(this.clock.now())) this.#passing.giveUp(flight);
    this.#watchCommits();
    return this.#rounds.round(until) || hasWritten;
  }
  /**
   * Earliest time at which a task wants a tick or a snapshot is given up, by the runtime's clock.
   */
  get nextTick(): number {
    return Math.min(this.#rounds.nextTick, this.#barriers.nextDeadline);
  }
  /** Milliseconds of work since the last call: the thread's own load. */
  takeBusyMillis(): number {
    return this.#rounds.takeBusyMillis();
  }
  /** undefined: sources are read continuously. */
  get batches(): MicroBatches | undefined {
    return this.#rounds.batches;
  }
  get plan(): Plan {
    return this.#tasks.plan;
  }
  get tasks(): ReadonlyMap<string, Task> {
    return this.#tasks.byId;
  }
  /** Removed tasks that have still to reach their last barrier. */
  get leaving(): Iterable<Task> {
    return this.#tasks.leaving;
  }
  /** Removed sinks that have still to commit. */
  get retired(): readonly Task[] {
    return this.#tasks.retired.tasks;
  }
  /** Sinks that go or change when their target has taken their rows. */
  get waitingSinks(): readonly Task[] {
    return this.#passing.waitingSinks;
  }
  /** Some task has still to reach its last barrier, or a sink that of its change. */
  get hasLeaving(): boolean {
    return this.#passing.isChanging;
  }

  // ------------------------------------------------------------ barriers

  get epoch(): number {
    return this.#barriers.epoch;
  }
  /** Barriers that some task has not passed yet. */
  get barriersInFlight(): number {
    return this.#barriers.count;
  }
  get snapshotsInFlight(): number {
    return this.#barriers.snapshots;
  }
  get oldestBarrierMillis(): number {
    return this.#barriers.oldestMillis;
  }
  /**
   * What the oldest snapshot in flight waits for, and for how long: the tasks that hold its barrier
   * back.
   */
  waitsFor(): { readonly tasks: readonly Task[]; readonly millis: number } | undefined {
    const oldest = this.#barriers.all.find(({ awaited }) => awaited);
    if (!oldest?.awaited) return undefined;
    return { tasks: blockingTasks(oldest.awaited, this.#tasks.order), millis: performance.now() - oldest.enteredAt };
  }

  /**
   * Enters a barrier that only snapshots. `onSnapshot` when every task that it waits for has passed
   * it.
   */
  snapshot(
    onSnapshot: (snapshot: Snapshot) => void,
    extent: 'changes' | 'full' = 'changes',
    life: SnapshotLife = {},
  ): number {
    invariant(
      life.checkpoint === undefined ||
        this.#barriers.all.every(({ awaited, barrier }) => !awaited || barrier.checkpoint === undefined),
      'one checkpoint is taken at a time',
    );
    return this.#passing.enter({ ...life, snapshot: extent, onSnapshot });
  }

  // ------------------------------------------------------------ checkpoints

  /** The checkpoint is durable, and so is everything before it: sinks commit. */
  complete(checkpoint: number): void {
    this.#barriers.complete(checkpoint);
    for (const task of this.#tasks.all) task.complete(checkpoint);
    this.wake();
  }
  /**
   * The checkpoint will not be durable. If its barrier is under way, its snapshot is given up, and
   * `onAborted` is called.
   */
  aborted(checkpoint: number): void {
    const flight = this.#barriers.awaiting(checkpoint);
    if (flight) return this.#passing.giveUp(flight);
    for (const task of this.#tasks.all) task.aborted(checkpoint);
  }
  /**
   * Some task has rows that are not committed: a checkpoint has to be taken and completed, also
   * after the end of all inputs. Failed tasks do not count.
   */
  get hasUncommitted(): boolean {
    return this.#tasks.all.some((task) => task.hasUncommitted);
  }
  #watchCommits(): void {
    if (!this.#awaitsCommits && this.#tasks.retired.size === 0) return;
    this.#awaitsCommits = this.#tasks.awaitCommits();
    if (!this.#awaitsCommits) this.#options.onCommitted?.();
  }

  // ------------------------------------------------------------ mutations

  /**
   * Changes the graph to `plan` at one barrier. Tasks whose chain is the same stay the same objects
   * and keep everything. The others are created, with the state of their predecessors where
   * `handover` says so. `onMutated` when the barrier has passed every task that changes.
   */
  mutate(
    plan: Plan,
    options: MutateOptions,
    onMutated?: (result: MutationResult) => void,
    onSnapshot?: (snapshot: Snapshot) => void,
  ): number {
    const chains = chainsOf(plan);
    const planned = planMutation(
      { tasks: this.tasks, channels: this.#wiring.places, attached: attachmentsOf(this.tasks) },
      { chains, ...options },
    );
    this.#loops.plan(plan);
    const target = this.#targetTasks(chains, planned);
    for (const [id, margin] of timeMargins(plan)) target.get(id)!.output.timeMargin = margin;
    const connections = this.#wiring.make(planned.channels, target, () => this.wake());
    const created = planned.created.map((id) => target.get(id)!);
    // Created tasks are connected at once, kept ones flip at the barrier.
    for (const task of created) {
      task.output.connect(connections.outputsOf(task));
      task.gate.connect(connections.inputsOf(task));
    }
    const flips = flipsOf(planned, target, connections);
    this.#tasks.groups = options.groups;
    const drained = this.#removeTasks(planned, target, flips);
    this.#rounds.setMode(plan.mode);
    this.#tasks.become(plan, target, planned.order);
    this.#tasks.hold(options.deleted, flips);
    this.#loops.connect(chains, target);
    const successors = new Set([...planned.successors.values()].map((id) => target.get(id)!));
    const { restore, failed, snapshot = false, checkpoint, timeoutMillis, onAborted, completed } = options;
    if (completed !== undefined) this.#barriers.complete(completed);
    for (const part of options.retired ?? []) this.retire(part);
    const life = { checkpoint, timeoutMillis, onAborted };
    const purpose = { ...life, snapshot, flips, created, successors, restore, failed, onMutated, onSnapshot };
    // The barrier that enters next has the next epoch.
    this.#options.trace?.mutations?.(`${this.epoch + 1} ${describePlan(planned)}`);
    const epoch = this.#passing.enter(purpose, drained);
    // A barrier that waited only for tasks that were cut is over.
    this.#barriers.settleAll();
    return epoch;
  }
  /** Tasks of the next graph by id, in the order of its chains. */
  #targetTasks(chains: readonly Chain[], planned: MutationPlan): ReadonlyMap<string, Task> {
    const byId = new Map(chains.map((chain) => [chain.id, chain]));
    const createdById = new Map(
      planned.created.map((id) => [id, createTask(byId.get(id)!, this.#parts, this, this.epoch)]),
    );
    return new Map(
      chains.map((chain) => {
        const created = createdById.get(chain.id);
        if (created) return [chain.id, created];
        const kept = this.tasks.get(chain.id)!;
        kept.chain = chain;
        return [chain.id, kept];
      }),
    );
  }
  /**
   * A sink that had been removed in an earlier life, before its last commit, or in this one,
   * without a way to its target.
   */
  retire(part: RetiredPart): void {
    const task = createTask(retiredChain(part), this.#parts, this, this.epoch);
    task.restore(part.state);
    this.#tasks.retired.add(task, { instance: part.instance, since: 0 });
    const { completed } = this.#barriers;
    if (completed !== undefined) task.complete(completed);
  }
  /**
   * Removed tasks that are still needed leave at the barrier, the others now. Returns those that
   * leave.
   */
  #removeTasks(planned: MutationPlan, target: ReadonlyMap<string, Task>, flips: Map<Task, Flip>): readonly Task[] {
    const drained = planned.drained.map((id) => this.tasks.get(id)!);
    for (const task of drained) {
      const successor = target.get(planned.successors.get(task.id) ?? '');
      flips.set(task, { removed: { ...(successor && { successor }) } });
      this.#tasks.leaving.add(task);
      this.#tasks.release(task);
    }
    for (const id of planned.cut) this.#passing.cut(this.tasks.get(id)!);
    return drained;
  }
  /**
   * Cuts off tasks that leave but do not return from their present call (an endless generator in
   * flatMap).
   */
  cutLeaving(): readonly string[] {
    return this.#passing.cutLeaving();
  }

  // ------------------------------------------------------------ calls of tasks

  wake(): void {
    this.#options.onWork?.();
  }
  onFailure(task: Task, failure: TaskFailure): void {
    const uid = task.chain.nodes.find((node) => node.id === failure.node)?.uid ?? failure.node;
    this.#options.onFailure?.({ ...failure, uid });
    this.wake();
  }
  onEnded(task: Task): void {
    // It has closed its inputs: a barrier on its way over them is lost there.
    if (task.isDormant) this.#passing.hearNext(task);
    this.#awaitsCommits ||= task.hasUncommitted;
    this.#options.onEnded?.(task.id);
  }
  onBarrier(task: Task, barrier: Barrier): void {
    this.#passing.onBarrier(task, barrier);
  }
  isChanging(task: Task): boolean {
    return this.#barriers.exchangeReadersOf(task);
  }
  isGivenUp(epoch: number): boolean {
    return this.#barriers.of(epoch)?.isGivenUp === true;
  }
  staysAt(task: Task, epoch: number): boolean {
    return !this.#barriers.of(epoch)?.flipOf(task)?.removed;
  }
  barrierWaits(task: Task): boolean {
    return this.#barriers.waitFor(task);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tasks.close();
  }
}
