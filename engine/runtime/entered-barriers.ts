// All barriers on their way, in the order of their epochs. The states of one: barriers.ts.
import { invariant } from '../errors/invariant.ts';
import { BarrierInFlight, type BarrierPurpose } from './barriers.ts';
import type { Barrier } from './channel.ts';
import type { RetiredTasks } from './retired-tasks.ts';
import type { Task } from './task.ts';
import type { Trace } from './trace.ts';
import { UnreportedParts } from './unreported-parts.ts';

/** All barriers that some task has not passed, in the order of their epochs. */
export class Barriers {
  readonly #inFlight = new Map<number, BarrierInFlight>();
  readonly #unreported = new UnreportedParts();
  #epoch = 0;
  /** The last checkpoint that has entered or was restored, and the last that is durable. */
  #checkpoint = 0;
  #completed: number | undefined;
  readonly #retired: RetiredTasks;
  readonly #trace: Trace['barriers'];

  constructor(retired: RetiredTasks, trace?: Trace['barriers']) {
    this.#retired = retired;
    this.#trace = trace;
  }
  /** The epoch of the last barrier that has entered. */
  get epoch(): number {
    return this.#epoch;
  }
  /** `now`: by the runtime's clock. */
  enter(purpose: BarrierPurpose, passing: ReadonlySet<Task>, awaited: ReadonlySet<Task>, now: number): BarrierInFlight {
    const { snapshot, checkpoint } = purpose;
    if (checkpoint !== undefined) {
      invariant(snapshot !== false, 'a checkpoint is a snapshot');
      invariant(checkpoint > this.#checkpoint, 'the ids of checkpoints grow');
      this.#checkpoint = checkpoint;
    }
    const barrier: Barrier = {
      kind: 'barrier',
      epoch: ++this.#epoch,
      snapshot,
      ...(checkpoint !== undefined && { checkpoint }),
      commitsWith: checkpoint ?? this.#checkpoint + 1,
    };
    const shared = {
      unreported: this.#unreported,
      retired: this.#retired,
      now,
      ...(this.#trace && { trace: this.#trace }),
    };
    const flight = new BarrierInFlight(barrier, purpose, passing, awaited, shared);
    this.#inFlight.set(barrier.epoch, flight);
    return flight;
  }
  of(epoch: number): BarrierInFlight | undefined {
    return this.#inFlight.get(epoch);
  }
  get all(): readonly BarrierInFlight[] {
    return [...this.#inFlight.values()];
  }
  /** Everything up to this checkpoint is durable. undefined: nothing is known. */
  get completed(): number | undefined {
    return this.#completed;
  }
  complete(checkpoint: number): void {
    this.#completed = Math.max(checkpoint, this.#completed ?? checkpoint);
    this.#checkpoint = Math.max(checkpoint, this.#checkpoint);
  }
  /** The snapshot of this checkpoint waits for tasks. */
  awaiting(checkpoint: number): BarrierInFlight | undefined {
    return this.all.find(({ awaited, barrier }) => awaited && barrier.checkpoint === checkpoint);
  }
  /** Snapshots whose time is up. */
  overdue(now: number): readonly BarrierInFlight[] {
    return this.#inFlight.size === 0 ? [] : this.all.filter(({ awaited, deadline }) => awaited && deadline <= now);
  }
  /** By the runtime's clock: when the next snapshot has to be given up. */
  get nextDeadline(): number {
    let next = Infinity;
    for (const { awaited, deadline } of this.#inFlight.values()) if (awaited && deadline < next) next = deadline;
    return next;
  }
  get count(): number {
    return this.#inFlight.size;
  }
  get snapshots(): number {
    return this.all.filter(({ awaited }) => awaited).length;
  }
  /** How long the oldest barrier has been under way. */
  get oldestMillis(): number {
    const [oldest] = this.#inFlight.values();
    return oldest ? performance.now() - oldest.enteredAt : 0;
  }
  /** Some barrier has entered that the task has not passed. */
  waitFor(task: Task): boolean {
    for (const flight of this.#inFlight.values()) if (flight.isPassing(task)) return true;
    return false;
  }
  /** The readers of this task are exchanged at a barrier that it has not passed. */
  exchangeReadersOf(task: Task): boolean {
    for (const flight of this.#inFlight.values())
      if (flight.isPassing(task) && flight.flipOf(task)?.outputs) return true;
    return false;
  }
  /**
   * Snapshots are reported in the order of their epochs: each holds what was written since the one
   * before. One that is complete early waits. It waits also for the rows of a sink that an earlier
   * barrier removes, even if the snapshot of that barrier was given up.
   */
  settle(flight: BarrierInFlight): void {
    this.#settle(flight);
    if (!flight.awaited) for (const later of this.#waiting('after', flight)) this.#settle(later);
  }
  /** Other barriers whose snapshots are in flight, in the order of their epochs. */
  #waiting(when: 'before' | 'after', { barrier }: BarrierInFlight): readonly BarrierInFlight[] {
    return this.all.filter((other) => {
      const isThere = when === 'before' ? other.barrier.epoch < barrier.epoch : other.barrier.epoch > barrier.epoch;
      return isThere && (other.awaited !== undefined || (when === 'before' && other.hasSinksToCome));
    });
  }
  #settle(flight: BarrierInFlight): void {
    const { epoch } = flight.barrier;
    flight.settle(this.#waiting('before', flight).length === 0);
    if (flight.isOver && this.#inFlight.delete(epoch)) this.#trace?.(`${epoch} is over`);
  }
  /** Writes entries of the oldest snapshot that has some. False: there are none. */
  write(): boolean {
    const flight = this.#inFlight.size > 0 ? this.all.find(({ isWriting }) => isWriting) : undefined;
    if (!flight) return false;
    flight.write();
    if (!flight.isWriting) this.settle(flight);
    return true;
  }
  settleAll(): void {
    for (const flight of this.all) this.settle(flight);
  }
}
