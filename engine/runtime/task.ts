// A task: one head operator, the stages fused behind it, an input gate and an output. This file is
// its loop.
//
// The runtime gives a task turns; it never waits by itself. `#turn` says what one turn does, in
// this order. A call of the operator that does not finish is kept, and is repeated before anything
// else happens.
import type { Stage } from '../contract/operator.ts';
import type { Clock } from '../contract/clock.ts';
import { invariant, isBrokenInvariant } from '../errors/invariant.ts';
import type { Chain } from '../graph/chains.ts';
import { isStage, kinds } from '../graph/kinds.ts';
import { BatchShare } from './batch-share.ts';
import type { Barrier, Channel } from './channel.ts';
import type { GateItem } from './input-gate.ts';
import { InjectedBarriers } from './injected-barriers.ts';
import type { MicroBatches } from './micro-batches.ts';
import { pollSource } from './source-poll.ts';
import { type Call, performCall, processCall } from './task-call.ts';
import { contextOf } from './task-context.ts';
import type { TaskFailure } from './task-failure.ts';
import type { Head } from './task-head.ts';
import { TaskLife } from './task-life.ts';
import { WakeUps } from './wake-ups.ts';

/** What the task needs from the runtime that drives it. */
export interface TaskHost {
  readonly clock: Clock;
  readonly freeze: boolean;
  /** undefined: sources are read continuously. */
  readonly batches: MicroBatches | undefined;
  /** Some task may have something to do now, or has asked for another time. */
  wake(): void;
  /**
   * A barrier is aligned and everything before it has been processed: the runtime goes on and calls
   * `task.passed`.
   */
  onBarrier(task: Task, barrier: Barrier): void;
  onFailure(task: Task, failure: TaskFailure): void;
  onEnded(task: Task): void;
  /**
   * The readers of this task are exchanged at a barrier to come: that the former ones have gone
   * means nothing.
   */
  isChanging(task: Task): boolean;
  /** The snapshot of this epoch was given up: nobody waits for the state of the task. */
  isGivenUp(epoch: number): boolean;
  /** The barrier of this epoch does not remove the task. */
  staysAt(task: Task, epoch: number): boolean;
  /** A barrier has been entered that the task has not passed. */
  barrierWaits(task: Task): boolean;
}

/** A turn takes no further batch after so many records: other tasks wait. */
const turnRecords = 2048;

export class Task extends TaskLife {
  /** Of a source. */
  readonly batchShare: BatchShare | undefined;
  readonly #host: TaskHost;
  readonly #refusesPromises: boolean;
  readonly #wakeUps = new WakeUps();
  #call: Call | undefined;
  /** The call that has been entered, and when it last made progress. */
  #inside: Call | undefined;
  #insideSince = 0;
  /** In the middle of its end it lets a barrier pass. */
  #isEnding = false;
  readonly #injected = new InjectedBarriers();
  /** Records consumed in the present turn. */
  #taken = 0;

  constructor(chain: Chain, head: Head, stages: readonly Stage[], host: TaskHost, epoch: number) {
    super(chain, head, stages, epoch);
    this.#host = host;
    // A display leaves a Promise out, a sink has an error of its own, and stages test each element.
    const { kind } = chain.nodes[0]!;
    this.#refusesPromises = kinds[kind].role === 'operator' && !isStage({ kind });
    if (this.source) this.batchShare = new BatchShare(chain.nodes[0]!, this.source, this);
  }

  // ------------------------------------------------------------ what it is doing

  /** Time of the next tick, by the runtime's clock; Infinity for none. */
  get tickAt(): number {
    return this.#wakeUps.tickAt;
  }
  get batches(): MicroBatches | undefined {
    return this.#host.batches;
  }
  now(): number {
    return this.#host.clock.now();
  }
  /** There is something to do now, with or without room. */
  hasWork(now: number): boolean {
    const hasInput = !this.#injected.isEmpty || this.gate.ready;
    switch (this.status) {
      case 'closed':
        return false;
      case 'created':
        return hasInput;
      case 'failed':
        return hasInput || this.isFlushing;
      case 'ended':
        return this.isFlushing ? !this.#wakeUps.waitsOutside : hasInput;
      case 'running':
        if (this.#call) return !this.#wakeUps.waitsOutside || now >= this.#wakeUps.tickAt || this.#mayPassBarrier;
        if (hasInput || this.#wakeUps.isWoken || now >= this.#wakeUps.tickAt) return true;
        return this.batchShare !== undefined && this.batchShare.mayRead && this.batchShare.isItsTurn;
    }
  }
  /**
   * It waits for its end, and a barrier waits for it: the operator has done all it can for the
   * barrier.
   */
  get #mayPassBarrier(): boolean {
    return this.#wakeUps.waitsOutside && this.#call?.kind === 'end' && (!this.#injected.isEmpty || this.gate.ready);
  }
  /** In the middle of a call. A removed task that stays there may have to be cut off. */
  get isInsideCall(): boolean {
    return this.#call !== undefined && this.#call.kind !== 'barrier';
  }
  /** Its barrier waits for answers from outside. */
  get isFlushing(): boolean {
    return this.#call?.kind === 'barrier';
  }
  /** Records that it has not taken, and calls to the outside without an answer. */
  get unfinished(): number {
    return this.gate.slots.reduce((sum, { channel }) => sum + (channel?.records ?? 0), this.inFlight);
  }
  /**
   * How long it has been inside one call, at one record, without an end: an endless generator. 0:
   * it is not.
   */
  get stuckMillis(): number {
    return this.isInsideCall && !this.#wakeUps.waitsOutside ? performance.now() - this.#insideSince : 0;
  }
  /**
   * What it counts as while it has nothing to do: waiting for an answer from outside is work in
   * progress.
   */
  get restingState(): 'busy' | 'idle' | 'backpressured' {
    if (this.waitsForRoom) return 'backpressured';
    return this.#call && this.#wakeUps.waitsOutside ? 'busy' : 'idle';
  }
  /** Nothing waits for it, and nothing is in it that will come out by itself. */
  get isQuiet(): boolean {
    if (this.status !== 'running') return this.status !== 'created';
    if (this.isInsideCall || this.#wakeUps.isWoken || this.inFlight > 0) return false;
    return this.gate.slots.every(({ channel }) => !channel || (channel.empty && channel.records === 0));
  }

  // ------------------------------------------------------------ the loop

  /** One turn. False: nothing happened. */
  turn(now: number): boolean {
    const before = this.output.recordsOut;
    let happened = true;
    try {
      happened = this.#turn(now);
    } catch (error) {
      // A defect of ours ends this operator, not the runtime.
      if (!isBrokenInvariant(error)) throw error;
      this.fail(error);
    }
    this.output.flush();
    if (this.#taken > 0) this.load.adaptChannels(this.gate.slots, this.#taken, this.recordsIn - this.contentIn, now);
    this.#taken = 0;
    // A call that waits may have given work to others.
    return happened || this.output.recordsOut > before;
  }
  #turn(now: number): boolean {
    // An operator that nobody reads any more ends. A source pauses until somebody reads it.
    if (this.#isAbandoned) this.finish();

    // An end that waits for answers from outside lets a barrier pass.
    if (this.#mayPassBarrier && this.#passBarrier(now)) return true;

    // A call that has not finished is repeated before anything else.
    if (this.#call) {
      this.#wakeUps.endWaitAt(this.now());
      return this.#proceed(now);
    }

    // A barrier from the runtime itself, for a task that no channel feeds.
    const barrier = this.#injected.takeAfter(this.gate.epoch);
    if (barrier) return this.#begin({ kind: 'barrier', barrier }, now);

    // A tick: the operator has asked for this time, or was woken.
    if (this.status === 'running' && this.#wakeUps.isTickDue(this.now()) && this.output.hasRoom) {
      this.#wakeUps.takeTick(this.now());
      if (this.batchShare) this.batchShare.mayPoll = true;
      if (this.operator?.tick) return this.#begin({ kind: 'tick' }, now);
    }

    // A source gives the next records.
    if (this.batchShare) {
      const polled = pollSource(this, this.batchShare, this.#wakeUps, now);
      if (polled === 'end') this.end();
      return polled !== false;
    }

    // An operator takes what its gate gives next. Small batches share a turn, and their results
    // leave together.
    const happened = this.#takeNext(now, false);
    while (this.#mayTakeMore && this.#takeNext(now, true));
    return happened;
  }
  get #isAbandoned(): boolean {
    return this.status === 'running' && !this.source && this.output.abandoned && !this.#host.isChanging(this);
  }
  get #mayTakeMore(): boolean {
    if (this.status !== 'running' || this.#call !== undefined || !this.#injected.isEmpty) return false;
    return this.#taken < turnRecords && this.gate.ready && this.output.mayGoOn;
  }

  /** `isMore`: it shares the turn with the items before it. */
  #takeNext(now: number, isMore: boolean): boolean {
    const isRunning = this.status === 'running';
    // A running task takes no records while it has no room. Barriers take no credit.
    const item =
      this.gate.takeAligned() ?? this.gate.next(isRunning && (this.intake === 'holds' || !this.output.hasRoom));
    if (!item) return false;
    if (item.kind === 'barrier') return this.#begin(item, now, isMore);
    if (!isRunning || (item.kind === 'batch' && this.intake === 'discards')) return discard(item);
    switch (item.kind) {
      case 'batch':
        return this.#begin(processCall(item.slot, item.batch, this.#refusesPromises), now, isMore);
      case 'time':
        if (item.emitted.length === 0) return true;
        return this.#begin({ kind: 'time', emitted: item.emitted, at: 0 }, now, isMore);
      case 'ended':
        return this.#begin({ kind: 'end' }, now, isMore);
    }
  }
  #begin(call: Call, now: number, isMore = false): boolean {
    this.#call = call;
    return this.#proceed(now, isMore);
  }

  /** Makes the unfinished call, once more or for the first time. */
  #proceed(now: number, isMore = false): boolean {
    const call = this.#call!;
    if (call.kind === 'barrier') return this.#align(call.barrier);
    if (!this.output.hasRoom || (call.kind === 'process' && this.intake === 'holds')) return false;
    if (call !== this.#inside) {
      this.#inside = call;
      this.#insideSince = now;
    }
    if (isMore) this.output.goOn();
    else this.output.begin(now);
    let isDone = false;
    let progressed = false;
    try {
      const from = call.kind === 'process' ? call.from : 0;
      isDone = performCall(call, this);
      const consumed = call.kind === 'process' ? call.from - from : 0;
      this.#taken += consumed;
      if (consumed > 0) this.#insideSince = now;
      // The last question looks at the clock, so it is asked only when it matters.
      progressed = isDone || consumed > 0 || this.output.full;
    } catch (error) {
      this.fail(error, call.kind === 'process' ? call : undefined);
    }
    this.output.origin = undefined;
    if (this.status !== 'running') return true;
    if (this.output.finished) {
      this.finish();
      return true;
    }
    if (!isDone) return progressed || this.#wakeUps.wait();
    this.#call = undefined;
    this.#wakeUps.waitsOutside = false;
    if (call.kind === 'process') call.batch.release?.();
    if (call.kind === 'end') this.end();
    return true;
  }

  // ------------------------------------------------------------ barriers

  /** A barrier from the runtime itself, for a task without attached inputs. */
  inject(barrier: Barrier): void {
    this.#injected.add(barrier);
    this.#host.wake();
  }
  /** It hears barriers over its channels now. */
  forgetInjected(): void {
    this.#injected.clear();
  }
  /**
   * A barrier is on its way: an operator that waits outside is asked again whether it lets the
   * barrier pass.
   */
  hurry(): void {
    this.#wakeUps.hurry();
  }
  /**
   * The end goes on behind the barrier, if it still is one: the barrier may bring another upstream.
   */
  #passBarrier(now: number): boolean {
    const injected = this.#injected.takeAfter(this.gate.epoch);
    const item = injected ? undefined : (this.gate.takeAligned() ?? this.gate.next(true));
    const barrier = injected ?? (item?.kind === 'barrier' ? item.barrier : undefined);
    if (!barrier) return item !== undefined;
    this.#wakeUps.waitsOutside = false;
    this.#isEnding = true;
    return this.#begin({ kind: 'barrier', barrier }, now);
  }
  /**
   * The barrier is aligned. The runtime does its part when nothing is on its way to the outside.
   */
  #align(barrier: Barrier): boolean {
    if (!this.#mayPass(barrier)) return this.#wakeUps.wait();
    this.#call = undefined;
    this.#wakeUps.waitsOutside = false;
    this.#host.onBarrier(this, barrier);
    if (this.#isEnding && this.status === 'running' && this.gate.ended) this.#call = { kind: 'end' };
    this.#isEnding = false;
    return true;
  }
  #mayPass({ epoch, snapshot, commitsWith }: Barrier): boolean {
    const stays = this.#host.staysAt(this, epoch);
    if (stays && this.#host.isGivenUp(epoch)) return true;
    // An operator that has not been opened has nothing unsent, and is asked for nothing.
    if (!this.isDrained() && !(stays && this.operator?.keepsUnsent === true)) return false;
    return (stays && snapshot === false) || this.preCommit(commitsWith);
  }
  /** The runtime has done its part at the barrier; the inputs flow again. */
  passed(epoch: number, channels?: readonly (Channel | undefined)[]): void {
    invariant(!this.isInsideCall, 'no call is unfinished at a barrier');
    this.gate.passed(epoch, channels);
    this.#host.wake();
  }

  // ------------------------------------------------------------ its life

  protected context(): ReturnType<typeof contextOf> {
    return contextOf<Task>(this, this.#wakeUps, this.#host);
  }
  protected dropCall(hasFailed: boolean): void {
    const call = this.#call;
    if (hasFailed && call?.kind === 'process') call.slot.channel?.discarded(call.batch.length - call.from);
    // A barrier that waits for answers from outside waits no longer: a failed task has none.
    if (!hasFailed || call?.kind !== 'barrier') this.#call = undefined;
  }
  protected hasFailed(failure: TaskFailure): void {
    this.#host.onFailure(this, failure);
  }
  protected hasEnded(): void {
    this.#host.onEnded(this);
  }
}

/** An ended or failed task takes the item without looking at it. */
function discard(item: Exclude<GateItem, { kind: 'barrier' }>): true {
  if (item.kind !== 'batch') return true;
  item.slot.channel?.consumed(item.batch.length);
  item.batch.release?.();
  return true;
}
