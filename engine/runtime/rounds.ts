// Rounds: each task with work gets a turn, readers before writers; then iterations and
// micro-batches go on.
import type { MicroBatchLog } from '../connectors/micro-batch-log.ts';
import type { Clock } from '../contract/clock.ts';
import type { MicroBatchMode } from '../graph/plan.ts';
import { MicroBatches } from './micro-batches.ts';
import type { RunningLoops } from './running-loops.ts';
import type { RunningTasks } from './running-tasks.ts';
import type { Task } from './task.ts';
import type { Trace } from './trace.ts';

export interface RoundsOptions {
  readonly tasks: RunningTasks;
  readonly loops: RunningLoops;
  readonly clock: Clock;
  readonly log: MicroBatchLog;
  readonly onTurn?: ((task: Task | undefined) => void) | undefined;
  readonly credit?: Trace['credit'];
}

export class Rounds {
  /** undefined: sources are read continuously. */
  batches: MicroBatches | undefined;
  readonly #tasks: RunningTasks;
  readonly #loops: RunningLoops;
  readonly #clock: Clock;
  readonly #log: MicroBatchLog;
  readonly #onTurn: (task: Task | undefined) => void;
  readonly #credit: Trace['credit'];
  /** For the trace: tasks that wait for room. */
  readonly #withoutRoom = new WeakSet<Task>();
  #busyMillis = 0;

  constructor({ tasks, loops, clock, log, onTurn, credit }: RoundsOptions) {
    this.#tasks = tasks;
    this.#loops = loops;
    this.#clock = clock;
    this.#log = log;
    this.#onTurn = onTurn ?? (() => {});
    this.#credit = credit;
  }

  /**
   * One turn for each task with work. False: nothing happened; wait for `onWork` or until
   * `nextTick`.
   */
  round(until = Infinity): boolean {
    let happened = false;
    for (const task of this.#tasks.order) {
      const began = performance.now();
      if (!task.hasWork(this.#clock.now())) {
        this.#rest(task, began);
        continue;
      }
      task.beginTurn(began);
      this.#onTurn(task);
      const progressed = task.turn(began);
      this.#onTurn(undefined);
      const ended = performance.now();
      if (progressed) this.#busyMillis += ended - began;
      // A task that could go on waits for its thread; any other one rests.
      if (task.hasWork(this.#clock.now()) && !task.waitsForRoom) task.load.accounting.enter('ready', ended);
      else this.#rest(task, ended);
      happened ||= progressed;
      if (ended >= until) break;
    }
    happened = this.#loops.check() || happened;
    return this.#stepBatch(happened) || happened;
  }
  #rest(task: Task, now: number): void {
    if (this.#credit) this.#traceCredit(task, this.#credit);
    task.load.accounting.enter(task.restingState, now);
  }
  #traceCredit(task: Task, write: (line: string) => void): void {
    if (this.#withoutRoom.has(task) === task.waitsForRoom) return;
    if (this.#withoutRoom.delete(task)) return write(`${task.id} has room`);
    this.#withoutRoom.add(task);
    write(`${task.id} waits for room: ${task.output.fullReaders}`);
  }
  #stepBatch(happened: boolean): boolean {
    if (!this.batches) return false;
    const now = this.#clock.now();
    const isAtRest = (task: Task): boolean =>
      task.isSource || !(task.isInsideCall || task.hasWork(now) || task.inFlight > 0);
    const readers = this.#tasks.order.flatMap(({ batchShare }) => (batchShare?.isRead ? [batchShare] : []));
    return this.batches.step(readers, !happened && this.#tasks.order.every(isAtRest));
  }
  /** Earliest time at which a task wants a tick, by the runtime's clock. */
  get nextTick(): number {
    let next = this.batches?.nextAt ?? Infinity;
    // A task without room is woken by its readers, not by its time.
    for (const task of this.#tasks.order)
      if (task.status === 'running' && task.tickAt < next && !task.waitsForRoom) next = task.tickAt;
    return next;
  }
  /** The mode of the last mutation: in micro-batches, or continuous. */
  setMode(mode: MicroBatchMode | undefined): void {
    if (this.batches?.intervalMillis === mode?.microBatchMillis) return;
    // Sources then emit the watermarks that the batch at work has held back.
    for (const task of this.#tasks.byId.values()) task.output.holdsTime = false;
    this.batches = mode && new MicroBatches(mode, this.#clock, this.#log);
  }
  /** Milliseconds of work since the last call: the thread's own load. */
  takeBusyMillis(): number {
    const spent = this.#busyMillis;
    this.#busyMillis = 0;
    return spent;
  }
}
