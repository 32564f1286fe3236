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
import { Barriers, type Flip, type MutationResult, type Snapshot } from './barriers.ts';
import { blockingTasks } from './blocked-snapshot.ts';
import type { Barrier } from './channel.ts';
import type { MicroBatches } from './micro-batches.ts';
import { describePlan, type MutationPlan, planMutation } from './mutation-plan.ts';
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

  constructor(options: RuntimeOptions) {
    const { functions, host, sources, onTurn, trace } = options;
    this.#options = options;
    this.clock = options.clock ?? wallClock;
    this.freeze = options.freeze ?? false;
    const [tasks, loops, log] = [this.#tasks, this.#loops, new MicroBatchLog()];
    // Readers of one source that come later share its start.
    const shared = { starts: new SourceStarts(), alignment: new AlignmentGroups(), batches: log };
    this.#parts = { functions, host, loops, sources: { ...shared, ...sources } };
    this.#barriers = new Barriers(trace?.barriers);
    this.#rounds = new Rounds({ tasks, loops, clock: this.clock, log, onTurn, credit: trace?.credit });
    this.#passing = new BarrierPassing(tasks, this.#barriers, functions, this);
  }

  // ------------------------------------------------------------ rounds

  /**
   * One turn for each task with work. False: nothing happened; wait for `onWork` or until
   * `nextTick`.
   */
  round(until = Infinity): boolean {
    return this.#rounds.round(until);
  }
  /** Earliest time at which a task wants a tick, by the runtime's clock. */
  get nextTick(): number {
    return this.#rounds.nextTick;
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
  /** Some task has still to reach its last barrier. */
  get hasLeaving(): boolean {
    return this.#tasks.leaving.size > 0;
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
  snapshot(onSnapshot: (snapshot: Snapshot) => void, extent: 'changes' | 'full' = 'changes'): number {
    return this.#passing.enter({ snapshot: extent, onSnapshot });
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
    const drained = this.#removeTasks(planned, target, flips);
    this.#rounds.setMode(plan.mode);
    this.#tasks.become(plan, target, planned.order);
    this.#loops.connect(chains, target);
    const successors = new Set([...planned.successors.values()].map((id) => target.get(id)!));
    const { restore, failed, snapshot = false } = options;
    const purpose = { snapshot, flips, created, successors, restore, failed, onMutated, onSnapshot };
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
   * Removed tasks that are still needed leave at the barrier, the others now. Returns those that
   * leave.
   */
  #removeTasks(planned: MutationPlan, target: ReadonlyMap<string, Task>, flips: Map<Task, Flip>): readonly Task[] {
    const drained = planned.drained.map((id) => this.tasks.get(id)!);
    for (const task of drained) {
      const successor = target.get(planned.successors.get(task.id) ?? '');
      flips.set(task, { removed: { ...(successor && { successor }) } });
      this.#tasks.leaving.add(task);
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
    this.#options.onEnded?.(task.id);
  }
  onBarrier(task: Task, barrier: Barrier): void {
    this.#passing.onBarrier(task, barrier);
  }
  isChanging(task: Task): boolean {
    return this.#barriers.exchangeReadersOf(task);
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
