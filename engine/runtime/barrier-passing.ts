// How tasks pass barriers: where a barrier enters, what an aligned task does, and what happens to
// the barrier of a task that goes.
//
// An aligned task, in this order: opens if it is new; writes its snapshot; hands its state to its
// successor; forwards the barrier; flips its outputs; flips its inputs. A removed task is then
// closed.
import type { Batch } from '../contract/operator.ts';
import { isBrokenInvariant } from '../errors/invariant.ts';
import { commitsByUserCode, isSink } from '../graph/kinds.ts';
import type { FunctionTable } from '../graph/plan.ts';
import type { BarrierInFlight, BarrierPurpose } from './barriers.ts';
import { awaitedTasks } from './blocked-snapshot.ts';
import type { Barrier } from './channel.ts';
import type { Barriers } from './entered-barriers.ts';
import { type RetiredPart, retiredSink } from './retired-tasks.ts';
import type { RunningTasks } from './running-tasks.ts';
import { emptySnapshot, type TaskSnapshot } from './snapshot.ts';
import { commitsItsRows, heldBackBy, isSinkTask, keepsItsRows, rowsNotWritten, SinkDrain } from './sink-drain.ts';
import { contentOf } from './table-lookup.ts';
import type { Task, TaskHost } from './task.ts';
import { connectOutputs, cutReaders, hearsBarriers } from './wiring.ts';

type PassingHost = Pick<TaskHost, 'wake' | 'onFailure' | 'clock'> & {
  /** A sink that stays for its last commit. */
  retire(part: RetiredPart): void;
};

export class BarrierPassing {
  readonly #tasks: RunningTasks;
  readonly #barriers: Barriers;
  readonly #functions: FunctionTable;
  readonly #host: PassingHost;
  readonly #drain = new SinkDrain();
  /** As of the last look at what leaves. */
  #keeping: readonly Task[] = [];
  #flights: readonly BarrierInFlight[] = [];

  constructor(tasks: RunningTasks, barriers: Barriers, functions: FunctionTable, host: PassingHost) {
    this.#tasks = tasks;
    this.#barriers = barriers;
    this.#functions = functions;
    this.#host = host;
  }

  /**
   * A barrier enters at the tasks without an attached input: sources, and tasks whose inputs are
   * cut.
   */
  enter(purpose: BarrierPurpose, drained: readonly Task[] = []): number {
    const passing = new Set([...this.#tasks.byId.values(), ...drained]);
    const awaited = awaitedTasks(this.#tasks.plan, this.#tasks.byId, passing);
    const flight = this.#barriers.enter(purpose, passing, awaited, this.#host.clock.now());
    for (const task of passing) {
      if (!hearsBarriers(task)) task.inject(flight.barrier);
      task.hurry();
    }
    this.#barriers.settle(flight);
    this.#host.wake();
    return flight.barrier.epoch;
  }

  onBarrier(task: Task, barrier: Barrier): void {
    const flight = this.#barriers.of(barrier.epoch);
    if (!flight) return task.passed(barrier.epoch);
    try {
      this.#passBarrier(task, flight);
    } catch (error) {
      if (!isBrokenInvariant(error)) throw error;
      // The operator ends. The barrier goes on without it, so that the others still change and
      // snapshot.
      task.interrupt(error);
      flight.forget(task);
      task.output.mark(barrier);
      if (task.gate.epoch < barrier.epoch) task.passed(barrier.epoch);
      this.#barriers.settle(flight);
    }
  }
  /**
   * A task is aligned: it opens if it is new, snapshots, hands its state over, forwards the barrier
   * and flips.
   */
  #passBarrier(task: Task, flight: BarrierInFlight): void {
    const { barrier } = flight;
    const isNew = task.status === 'created';
    if (isNew && flight.waitsForState(task)) return;
    const state = flight.stateOf(task);
    if (isNew && flight.hadFailed(task)) task.stayFailed(state);
    else if (isNew) task.restore(state);
    const { completed } = this.#barriers;
    if (isNew && state && completed !== undefined) task.complete(completed);
    const flip = flight.flipOf(task);
    if (!flip?.removed) flight.snapshotTask(task);
    if (task.isOpen) flight.notePosition(task);
    if (flip?.removed?.successor)
      this.#inherit(flight, flip.removed.successor, task.snapshot() ?? emptySnapshot(task.output.lastWatermark));
    task.output.mark(barrier);
    if (isNew && flight.hasInherited(task)) this.#bringRows(task, flight);
    // The watermark goes out again, for readers whose gates are new: they know the time before the
    // first record.
    if (state) task.output.watermark(state.watermark);
    // All new readers get the same rows: functions of the user run once.
    let rows: readonly Batch[] | undefined;
    if (flip?.outputs) connectOutputs(task, flip.outputs, flight, () => (rows ??= this.#rowsOf(task)));
    task.passed(barrier.epoch, flip?.inputs);
    if (flip?.removed) this.#tasks.leave(task, flip.removed.successor !== undefined, barrier);
    else this.hearNext(task);
    flight.passed(task);
    this.#barriers.settle(flight);
  }
  #inherit(flight: BarrierInFlight, successor: Task, state: TaskSnapshot): void {
    if (flight.inherit(successor, state)) this.onBarrier(successor, flight.barrier);
  }
  /** Readers that start with nothing, of a table that has taken over its rows. */
  #bringRows(task: Task, flight: BarrierInFlight): void {
    const late = task.output.channels().filter(({ reader }) => flight.startsEmpty(reader));
    const rows = late.length > 0 ? this.#rowsOf(task) : [];
    for (const channel of late) for (const batch of rows) channel.pushBatch(batch);
  }
  /** The rows of a table that a reader which comes now has missed. */
  #rowsOf(task: Task): readonly Batch[] {
    if (task.status !== 'running' && task.status !== 'ended') return [];
    const node = task.chain.nodes.at(-1)!.id;
    try {
      return contentOf({ plan: this.#tasks.plan, tasks: this.#tasks.byId }, this.#functions, node);
    } catch (error) {
      // A map or a filter of the user, between the rows and here.
      this.#host.onFailure(task, { node, error });
      return [];
    }
  }
  /**
   * Barriers reach a task over its channels. A task that has none left hears those to come from the
   * runtime.
   */
  hearNext(task: Task): void {
    if (hearsBarriers(task)) return task.forgetInjected();
    for (const flight of this.#barriers.all)
      if (flight.barrier.epoch > task.gate.epoch && flight.isPassing(task)) task.inject(flight.barrier);
  }

  /** The snapshot will not come: its barrier goes on, and waits for no state. */
  giveUp(flight: BarrierInFlight): void {
    const { checkpoint } = flight.barrier;
    if (checkpoint !== undefined) for (const task of this.#tasks.all) task.aborted(checkpoint);
    const report = flight.giveUp(this.#tasks.order);
    if (!report) return;
    report();
    this.#barriers.settle(flight);
    this.#host.wake();
  }

  /**
   * Drops a task without a final barrier. Barriers in flight go on without it, and its readers lose
   * a channel.
   */
  cut(task: Task): void {
    const outputs = new Set(task.output.channels());
    this.#tasks.drop(task);
    for (const flight of this.#barriers.all) {
      flight.forget(task);
      flight.forgetChannels(outputs);
    }
    for (const reader of cutReaders(outputs, this.#tasks.byId.values())) this.hearNext(reader);
  }
  /** Sinks that wait for their target before they go or change. */
  get waitingSinks(): readonly Task[] {
    const changing = this.#changingSinks();
    const isFormer = (task: Task): boolean => task.status !== 'created' || this.#tasks.leaving.has(task);
    return this.#keeping.filter((task) => changing.includes(task) && isFormer(task));
  }
  /** One that comes counts only if it waits for another one. */
  #changingSinks(): readonly Task[] {
    if (this.#barriers.count === 0) return [];
    const flights = this.#barriers.all;
    const sinks = new Set(flights.flatMap(({ changingSinks }) => changingSinks));
    return [...sinks].filter((task) => task.status !== 'created' || flights.some((flight) => flight.lacksState(task)));
  }
  /** `cutLeaving` may have something to do. */
  get isChanging(): boolean {
    return this.#tasks.leaving.size > 0 || this.#changingSinks().length > 0;
  }
  /**
   * Cuts off tasks that leave but do not return from their present call (an endless generator in
   * flatMap), and sinks whose last rows are not taken outside (a broker that is away). As long as
   * sinks that leave make progress, all that leaves has more time. A sink that keeps its rows waits
   * for its target as long as it takes, with the operators that bring them. The mutation counts as
   * done meanwhile.
   */
  cutLeaving(): readonly string[] {
    const { leaving, groups } = this.#tasks;
    const sinks = new Set([...leaving, ...this.#changingSinks()]);
    const progress = this.#drain.look(sinks);
    if (progress === 'goes on') return [];
    const keeping = [...sinks].filter((task) => keepsItsRows(task, groups));
    this.#keeping = keeping;
    const isSlow = progress === 'takes too long';
    const waiting = new Set([
      ...keeping,
      ...heldBackBy(isSlow ? keeping.filter(commitsItsRows) : keeping, leaving, isSlow),
    ]);
    // One that is not open, and whose cell is gone, may wait for a barrier of a task that was cut.
    const isOver = ({ status, chain }: Task): boolean =>
      status === 'created' && groups?.has(chain.nodes[0]!.group) === false;
    const stuck = [...leaving].filter(
      (task) => !waiting.has(task) && (task.isInsideCall || isOver(task) || (isSinkTask(task) && task.isFlushing)),
    );
    for (const task of stuck) if (isSinkTask(task)) this.#host.onFailure(task, rowsNotWritten(task));
    for (const task of stuck) {
      let rest: RetiredPart | undefined;
      for (const flight of this.#barriers.all) {
        const removed = flight.flipOf(task)?.removed;
        flight.forget(task);
        if (removed?.successor) this.#inherit(flight, removed.successor, stateOfStuck(task));
        else if (removed) rest = restOfStuck(task, flight.barrier);
        // Its readers hear the barrier all the same, so that they can flip.
        task.output.mark(flight.barrier);
      }
      this.#tasks.drop(task);
      if (rest) this.#host.retire(rest);
      this.#barriers.settleAll();
    }
    // A change of this look and the last one waits for an operator that such a sink gives no room.
    const keeps = new Set(keeping);
    const old = new Set(keeping.length > 0 ? this.#flights : []);
    for (const flight of this.#barriers.all)
      if (flight.isMutating && (old.has(flight) || flight.changingSinks.some((task) => keeps.has(task))))
        this.#goOnBehind(flight);
    this.#flights = this.#barriers.all;
    this.#host.wake();
    return stuck.map((task) => task.id);
  }
  /**
   * Snapshots of barriers before this one may still wait for its sinks. They would belong to the
   * graph before, which is not the one of the session any more, so they are given up. The snapshot
   * of the change has everything.
   */
  #goOnBehind(flight: BarrierInFlight): void {
    const { epoch } = flight.barrier;
    const earlier = this.#barriers.all.filter((other) => other.barrier.epoch < epoch && other.awaited);
    for (const one of earlier) this.giveUp(one);
    // A function of a user may never answer, and the change may be its repair: that stays.
    const canGoBack = this.#keeping.some(commitsItsRows);
    flight.goOnBehind(
      earlier.flatMap(({ barrier }) => barrier.checkpoint ?? []),
      canGoBack,
    );
  }
}

/**
 * What a sink without a successor had finished before. A checkpoint may have it, and then its rows
 * will never be written again. undefined: it has nothing.
 */
function restOfStuck(task: Task, { commitsWith }: Barrier): RetiredPart | undefined {
  const node = task.chain.nodes.find((one) => isSink(one) && !commitsByUserCode(one));
  const state = node && task.hasUncommitted ? task.snapshot() : undefined;
  return node && state && { ...retiredSink(task.id, commitsWith, node), state };
}
/**
 * In the middle of a call there is no state to take over: the successor starts without. A sink that
 * waits for its target gives what it has finished before, and the name of its transactions, so that
 * its successor commits that and ends the rest. No call changes what it has finished.
 */
function stateOfStuck(task: Task): TaskSnapshot {
  const isOfUser = task.chain.nodes.some((node) => isSink(node) && commitsByUserCode(node));
  const hasTransactions = task.hasUncommitted && !(isOfUser && task.isInsideCall);
  return (hasTransactions ? task.snapshot() : undefined) ?? emptySnapshot(task.output.lastWatermark);
}
