// A task: one head operator, the stages fused behind it, an input gate and an output. It is given turns by the runtime; it never waits by itself.
//
//   created ─barrier of its mutation─► open ─► running ─all inputs ended─► ended (still forwards barriers)
//                                        │        ├─operator throws─► failed (discards records, still forwards barriers)
//                                        │        └─replaced or removed, at the barrier─► closed
//                                        └─waits for the state of the task it replaces
//
// This file is one thing: the loop in `turn` and the calls it makes; it reads top to bottom as what a task does with the next item.
import { SluiceError } from '../errors/error.ts';
import type { Chain } from '../graph/chains.ts';
import { kinds } from '../graph/kinds.ts';
import type { PidSpec } from '../graph/spec.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus, Stage, StateReader } from '../contract/operator.ts';
import type { Source } from '../contract/source.ts';
import type { Emitted } from '../time/emitted.ts';
import type { Clock } from '../contract/clock.ts';
import { Accounting, Rate } from './accounting.ts';
import { type Barrier, type Channel, maxCapacity, targetMillis } from './channel.ts';
import { Collector, StagedOutput } from './collector.ts';
import { newCounters, StageChain, type StageCounters, stagedEmit } from './fuse.ts';
import { InputGate, type Slot } from './input-gate.ts';
import type { BatchReader, MicroBatches } from './micro-batches.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from './snapshot.ts';

/** What the task needs from the runtime that drives it. */
export interface TaskHost {
  readonly clock: Clock;
  readonly freeze: boolean;
  /** undefined: sources are read continuously. */
  readonly batches: MicroBatches | undefined;
  /** The task may have something to do now. */
  wake(task: Task): void;
  wakeAt(task: Task, millis: number): void;
  /** A barrier is aligned and everything before it has been processed: the runtime snapshots, flips edges and calls `task.passed`. */
  onBarrier(task: Task, barrier: Barrier): void;
  onFailure(task: Task, failure: TaskFailure): void;
  onEnded(task: Task): void;
  /** The readers of this task are about to be exchanged at a barrier: that the former ones have gone says nothing. */
  isChanging(task: Task): boolean;
  /** A barrier has been entered that the task has not passed. */
  barrierWaits(task: Task): boolean;
}
export interface TaskFailure {
  /** Instance id of the operator that threw. */
  readonly node: string;
  readonly error: unknown;
  /** The record it was working on, when it was a record. */
  /** Key and window, or key and timer, when no record of the input was at work. */
  readonly working?: string;
  readonly record?: {
    readonly value: unknown;
    readonly timestamp: number;
    readonly partition?: number;
    readonly offset?: number;
  };
}

/** A call that has not finished; it is repeated before anything else happens. */
type Unfinished =
  | { readonly kind: 'process'; readonly slot: Slot; readonly batch: Batch; from: number }
  | { readonly kind: 'time'; readonly emitted: readonly Emitted[]; at: number }
  | { readonly kind: 'tick' }
  | { readonly kind: 'barrier'; readonly barrier: Barrier }
  | { readonly kind: 'end' };

/** A turn takes no further batch after so many records: other tasks wait. */
const turnRecords = 2048;

export class Task implements BatchReader {
  /** Of the last mutation: its operators never change, what it reads may. */
  chain: Chain;
  readonly output = new Collector();
  readonly gate: InputGate;
  readonly accounting: Accounting;
  readonly inRate: Rate;
  readonly outRate: Rate;
  /** Stages behind (or instead of) the head; busy time is split by what they take. */
  readonly stages: StageCounters | undefined;
  readonly stageKinds: readonly Stage[];
  status: 'created' | 'running' | 'ended' | 'failed' | 'closed' = 'created';
  recordsIn = 0;
  lateDropped = 0;
  watermark = -Infinity;
  readonly operator: Operator | undefined;
  readonly source: Source | undefined;
  /** It has let go of its inputs because nobody read it (or take had enough). */
  dormant = false;
  /** Its own clock time of the next tick; Infinity for none. */
  tickAt = Infinity;
  readonly #host: TaskHost;
  #context!: OperatorContext;
  #unfinished: Unfinished | undefined;
  /** The unfinished call made no progress though there was room: it waits for a wake. */
  #waitsOutside = false;
  #inside: Unfinished | undefined;
  #insideSince = 0;
  #woken = false;
  /** A tick came due in the middle of a call. */
  #owesTick = false;
  /** In the middle of its end it lets a barrier pass. */
  #isEnding = false;
  #control: Barrier[] = [];
  #mayPoll = true;
  /** Records consumed in the present turn. */
  #taken = 0;
  /** Not the first call of the turn. */
  #goesOn = false;

  constructor(
    chain: Chain,
    head: { operator: Operator } | { source: Source } | { stages: readonly Stage[] },
    stages: readonly Stage[],
    host: TaskHost,
    epoch: number,
  ) {
    this.chain = chain;
    this.#host = host;
    this.gate = new InputGate(
      chain.inputs.map((edge) => edge.input),
      epoch,
    );
    const now = performance.now();
    this.accounting = new Accounting(now);
    this.inRate = new Rate(now);
    this.outRate = new Rate(now);
    if ('stages' in head) {
      const fused = new StageChain(head.stages, this.output);
      this.operator = fused;
      this.stages = fused.counters;
      this.stageKinds = head.stages;
    } else {
      if ('operator' in head) this.operator = head.operator;
      else this.source = head.source;
      this.stageKinds = stages;
      this.stages = stages.length > 0 ? newCounters(stages.length) : undefined;
    }
    if (this.operator && kinds[chain.nodes[0]!.kind].keepsOrigin) this.output.head = this.operator;
  }

  get id(): string {
    return this.chain.id;
  }
  get isSource(): boolean {
    return this.source !== undefined;
  }

  /** Opens the head, with the state of the task it replaces when there is one. */
  open(state: StateReader | undefined): void {
    const head = this.chain.nodes[0]!;
    const collector = this.output;
    const staged =
      this.source || this.operator instanceof StageChain || !this.stages
        ? undefined
        : stagedEmit(this.stageKinds, collector, this.stages);
    this.#context = {
      id: head.id,
      uid: head.uid,
      name: head.name,
      output: staged ? new StagedOutput(collector, staged) : collector,
      clock: this.#host.clock,
      freeze: this.#host.freeze,
      wake: () => {
        this.#woken = true;
        this.#waitsOutside = false;
        this.#mayPoll = true;
        this.#host.wake(this);
      },
      wakeAt: (millis) => {
        if (millis >= this.tickAt) return;
        this.tickAt = millis;
        this.#host.wakeAt(this, millis);
      },
      fail: (error) => this.#fail(error, undefined),
      countLate: () => void this.lateDropped++,
      barrierWaits: () => this.#host.barrierWaits(this),
    };
    this.status = 'running';
    this.#guard(undefined, () => {
      if (this.source)
        this.source.open({ ...this.#context, output: collector, inBatches: this.#batches !== undefined });
      else this.operator!.open?.(this.#context);
      if (state) (this.source ?? this.operator!).restore?.(state);
    });
  }

  /** A barrier from the runtime itself, for tasks without attached inputs. */
  inject(barrier: Barrier): void {
    if (!this.#control.includes(barrier)) this.#control.push(barrier);
    this.#host.wake(this);
  }
  /** It hears barriers over its channels now. */
  forgetInjected(): void {
    this.#control = [];
  }

  /** Something to do now, room or no room? */
  hasWork(now: number): boolean {
    switch (this.status) {
      case 'closed':
        return false;
      case 'created':
        return this.#control.length > 0 || this.gate.ready;
      case 'failed':
      case 'ended':
        return this.#control.length > 0 || this.#unfinished?.kind === 'barrier' || this.gate.ready;
      case 'running':
        if (this.#unfinished) return !this.#waitsOutside || now >= this.tickAt || this.#mayPassBarrier;
        if (this.#control.length > 0 || this.gate.ready || this.#woken || now >= this.tickAt) return true;
        return this.source !== undefined && this.#mayPoll && this.output.hasReaders && this.#isItsTurn;
    }
  }
  /** What waits outside for its end has done all it can for a barrier. */
  get #mayPassBarrier(): boolean {
    return this.#waitsOutside && this.#unfinished?.kind === 'end' && (this.#control.length > 0 || this.gate.ready);
  }
  /** A barrier is on its way: who waits outside is asked again whether it lets it pass. */
  hurry(): void {
    if (this.#waitsOutside) this.#woken = true;
    this.#waitsOutside = false;
  }
  /** How long it has been inside one call, at one record, without an end: an endless generator. 0: it is not. */
  get stuckMillis(): number {
    return this.isInsideCall && !this.#waitsOutside ? performance.now() - this.#insideSince : 0;
  }
  /** Ends the operator from outside, as if it had thrown. */
  interrupt(error: unknown): void {
    this.#fail(error, undefined);
  }
  /** Nothing waits for it, nothing is in it that will come out by itself. */
  get isQuiet(): boolean {
    if (this.status !== 'running') return this.status !== 'created';
    if (this.isInsideCall || this.#woken || (this.operator?.status?.().inFlight ?? 0) > 0) return false;
    return this.gate.slots.every(({ channel }) => !channel || (channel.empty && channel.records === 0));
  }
  /** In the middle of a call: a removed task that is may have to be cut off. */
  get isInsideCall(): boolean {
    return this.#unfinished !== undefined && this.#unfinished.kind !== 'barrier';
  }
  /** What it counts as while it has nothing to do: waiting for an answer from outside is work in progress. */
  get restingState(): 'busy' | 'idle' | 'backpressured' {
    if (this.waitsForRoom) return 'backpressured';
    return this.#unfinished && this.#waitsOutside ? 'busy' : 'idle';
  }
  get waitsForRoom(): boolean {
    return this.status === 'running' && !this.output.hasRoom;
  }

  /** One turn: the unfinished call, or what waits next. Returns whether anything happened. */
  turn(now: number): boolean {
    const before = this.output.recordsOut;
    const happened = this.#turn(now);
    this.output.flush();
    this.#adapt(now);
    // A call that waits may have given work to others.
    return happened || this.output.recordsOut > before;
  }
  #turn(now: number): boolean {
    // Nobody reads it any more: an operator lets go of its inputs, a source pauses until somebody comes.
    if (this.status === 'running' && !this.source && this.output.abandoned && !this.#host.isChanging(this))
      this.#finish();
    while (this.#control.length > 0 && this.#control[0]!.epoch <= this.gate.epoch) this.#control.shift();
    if (this.#mayPassBarrier && this.#passBarrier(now)) return true;
    if (this.#unfinished) {
      // The operator asked for this moment: its call is repeated now, and the tick follows.
      if (this.#waitsOutside && this.#host.clock.now() >= this.tickAt) {
        this.tickAt = Infinity;
        this.#owesTick = true;
        this.#waitsOutside = false;
      }
      return this.#continue(now);
    }
    if (this.#control.length > 0 && this.#control[0]!.epoch === this.gate.epoch + 1) {
      this.#unfinished = { kind: 'barrier', barrier: this.#control.shift()! };
      return this.#continue(now);
    }
    if (this.status === 'running' && !this.output.hasRoom && !this.gate.ready && this.source) return false;
    if (this.status === 'running' && this.#isTickDue && this.output.hasRoom) {
      this.#woken = false;
      this.#owesTick = false;
      if (this.#host.clock.now() >= this.tickAt) this.tickAt = Infinity;
      this.#mayPoll = true;
      if (this.operator?.tick) {
        this.#unfinished = { kind: 'tick' };
        return this.#continue(now);
      }
    }
    if (this.source) return this.status === 'running' && this.output.hasReaders && this.#poll(now);
    const happened = this.#takeNext(now);
    this.#goesOn = true;
    while (this.#mayTakeMore && this.#takeNext(now));
    this.#goesOn = false;
    return happened;
  }
  /** Small batches: one turn takes as many as make a large one, so that they share what a turn costs and their results leave together. */
  get #mayTakeMore(): boolean {
    if (this.status !== 'running' || this.#unfinished !== undefined || this.#control.length > 0) return false;
    return this.#taken < turnRecords && this.gate.ready && this.output.mayGoOn;
  }

  get #isTickDue(): boolean {
    return this.#woken || this.#owesTick || this.#host.clock.now() >= this.tickAt;
  }
  /** The end goes on behind the barrier, if it still is one: another upstream may have come with it. */
  #passBarrier(now: number): boolean {
    const injected = this.#control[0]?.epoch === this.gate.epoch + 1 ? this.#control.shift() : undefined;
    const item = injected ? undefined : (this.gate.takeAligned() ?? this.gate.next(true));
    const barrier = injected ?? (item?.kind === 'barrier' ? item.barrier : undefined);
    if (!barrier) return item !== undefined;
    this.#unfinished = { kind: 'barrier', barrier };
    this.#waitsOutside = false;
    this.#isEnding = true;
    return this.#continue(now);
  }

  /** The runtime has done its part at the barrier; go on. */
  passed(epoch: number, channels?: readonly (Channel | undefined)[]): void {
    this.gate.passed(epoch, channels);
    this.#host.wake(this);
  }
  /** Asynchronous work before the barrier is done? Failed and ended tasks have none. */
  flushed(): boolean {
    return this.status !== 'running' || (this.operator?.flush?.() ?? true);
  }

  /** Its state came from elsewhere: the first snapshot after that is whole, whoever keeps them knows nothing of it under this name. */
  #restored = false;
  snapshot(wanted: boolean): TaskSnapshot {
    const full = wanted || this.#restored;
    this.#restored = false;
    const writer = new SnapshotWriter(full);
    (this.source ?? this.operator)?.snapshot?.(writer);
    return writer.done(this.output.lastWatermark);
  }
  restore(snapshot: TaskSnapshot | undefined): void {
    this.open(snapshot && readSnapshot(snapshot));
    this.#restored = snapshot !== undefined;
  }

  /** Calls to the outside without an answer. */
  get inFlight(): number {
    return this.status === 'running' ? (this.operator?.status?.().inFlight ?? 0) : 0;
  }
  operatorStatus(): OperatorStatus | undefined {
    return this.source?.status() ?? this.operator?.status?.();
  }

  close(): void {
    if (this.status === 'closed') return;
    const wasOpen = this.status !== 'created';
    this.status = 'closed';
    for (const slot of this.gate.slots) slot.channel?.close();
    this.#unfinished = undefined;
    if (!wasOpen) return;
    try {
      (this.source ?? this.operator)?.close?.();
    } catch {
      // It is going away; an error of its farewell helps nobody.
    }
  }

  // ------------------------------------------------------------------------------------------ what happens in a turn

  #takeNext(now: number): boolean {
    // A running task takes no records while it has no room; barriers take no credit.
    const item = this.gate.takeAligned() ?? this.gate.next(this.status === 'running' && !this.output.hasRoom);
    if (!item) return false;
    switch (item.kind) {
      case 'batch':
        if (this.status !== 'running') {
          item.slot.channel?.consumed(item.batch.length);
          item.batch.release?.();
          return true;
        }
        this.#unfinished = { kind: 'process', slot: item.slot, batch: item.batch, from: 0 };
        return this.#continue(now);
      case 'time':
        if (this.status !== 'running' || item.emitted.length === 0) return true;
        this.#unfinished = { kind: 'time', emitted: item.emitted, at: 0 };
        return this.#continue(now);
      case 'barrier':
        this.#unfinished = { kind: 'barrier', barrier: item.barrier };
        return this.#continue(now);
      case 'ended':
        if (this.status !== 'running') return true;
        this.#unfinished = { kind: 'end' };
        return this.#continue(now);
    }
  }

  /** Goes on with the unfinished call. */
  #continue(now: number): boolean {
    const call = this.#unfinished!;
    if (call.kind === 'barrier') {
      if (!this.flushed()) return this.#wait();
      this.#unfinished = undefined;
      this.#waitsOutside = false;
      this.#host.onBarrier(this, call.barrier);
      if (this.#isEnding && this.status === 'running' && this.gate.ended) this.#unfinished = { kind: 'end' };
      this.#isEnding = false;
      return true;
    }
    if (!this.output.hasRoom) return false;
    if (call !== this.#inside) {
      this.#inside = call;
      this.#insideSince = now;
    }
    if (this.#goesOn) this.output.goOn();
    else this.output.begin(now);
    let done = true;
    let progressed = true;
    const record = call.kind === 'process' ? call : undefined;
    this.#guard(record, () => {
      switch (call.kind) {
        case 'process': {
          this.output.origin = call.batch;
          const next = this.operator!.process(call.slot.input, call.batch, call.from);
          progressed = next > call.from || this.output.full;
          call.slot.channel?.consumed(next - call.from);
          this.recordsIn += next - call.from;
          this.#taken += next - call.from;
          if (next > call.from) this.#insideSince = now;
          call.from = next;
          done = next >= call.batch.length;
          break;
        }
        case 'time':
          done = this.#time(call);
          progressed = done || this.output.full;
          break;
        case 'tick':
          done = this.operator!.tick!(this.#host.clock.now());
          progressed = done || this.output.full;
          break;
        case 'end':
          done = (this.operator!.end?.() ?? true) && this.flushed();
          progressed = done || this.output.full;
          break;
      }
    });
    this.output.origin = undefined;
    if (this.status !== 'running') return true;
    if (this.output.finished) {
      this.#finish();
      return true;
    }
    if (!done) return progressed ? true : this.#wait();
    this.#unfinished = undefined;
    this.#waitsOutside = false;
    if (call.kind === 'process') call.batch.release?.();
    if (call.kind === 'end') this.#ended();
    return true;
  }

  #wait(): boolean {
    this.#waitsOutside = !this.#woken;
    this.#woken = false;
    return !this.#waitsOutside;
  }

  /** Watermarks and idleness in order; each waits until the one before is done. */
  #time(call: { readonly emitted: readonly Emitted[]; at: number }): boolean {
    for (; call.at < call.emitted.length; call.at++) {
      const one = call.emitted[call.at]!;
      if (one === 'idle' || one === 'active') {
        this.operator!.idle?.(0, one === 'idle');
        // Who makes or orders time says itself when it is idle.
        if (this.operator!.generatesWatermarks || this.operator!.ordersTime) continue;
        if (one === 'idle') this.output.idle();
        else this.output.active();
        continue;
      }
      const swallowed = this.operator!.generatesWatermarks === true && one.watermark !== Infinity;
      if (!swallowed && this.operator!.advance && !this.operator!.advance(one.watermark)) return false;
      this.watermark = one.watermark;
      if (!swallowed && !this.operator!.ordersTime) this.output.watermark(one.watermark);
    }
    return true;
  }

  // ------------------------------------------------------------------------------------------ micro-batches

  get name(): string {
    return this.chain.nodes[0]!.name;
  }
  /** The stream of the batches themselves is not read in batches. */
  get #batches(): MicroBatches | undefined {
    return kinds[this.chain.nodes[0]!.kind].ignoresMicroBatches ? undefined : this.#host.batches;
  }
  get #isItsTurn(): boolean {
    return this.#batches?.isReading(this) ?? true;
  }
  get isRead(): boolean {
    return this.status === 'running' && this.source !== undefined && this.#batches !== undefined;
  }
  get pid(): PidSpec | undefined {
    const head = this.chain.nodes[0]!;
    const rate = head.kind === 'kafka' ? head.parameters.rate : undefined;
    return typeof rate === 'object' ? rate.pid : undefined;
  }
  get mayRead(): boolean {
    return this.status === 'running' && this.#mayPoll && this.output.hasReaders;
  }
  get awaits(): boolean {
    return this.status === 'running' && this.output.hasReaders && (this.source?.awaits?.() ?? false);
  }
  get behind(): number {
    return this.status === 'running' && this.output.hasReaders ? (this.source?.behind?.() ?? 0) : 0;
  }
  share(records: number): void {
    this.#mayPoll = true;
    this.output.holdsTime = true;
    this.source?.share?.(records);
  }
  endBatch(): void {
    this.output.holdsTime = false;
    if (this.status !== 'running') return;
    this.#guard(undefined, () => this.source!.endBatch?.(this.#host.clock.now()));
    this.watermark = this.output.lastWatermark;
  }

  // ------------------------------------------------------------------------------------------

  #poll(now: number): boolean {
    if (!this.output.hasRoom || !this.#mayPoll) return false;
    const batches = this.#batches;
    if (batches && !batches.isReading(this)) return false;
    this.output.begin(now, batches?.left(this));
    const before = this.output.recordsOut;
    let answer: ReturnType<Source['poll']> = 'wait';
    this.#guard(undefined, () => (answer = this.source!.poll()));
    if (this.status !== 'running') return true;
    this.output.flush();
    this.watermark = this.output.lastWatermark;
    this.recordsIn += this.output.recordsOut - before;
    batches?.took(this, this.output.recordsOut - before, (answer as ReturnType<Source['poll']>) !== 'more');
    switch (answer as ReturnType<Source['poll']>) {
      case 'more':
        return true;
      case 'wait':
        // A wake that came during the poll must not get lost.
        this.#mayPoll = this.#woken;
        this.#woken = false;
        return this.output.recordsOut > before;
      case 'end':
        this.output.active();
        this.output.watermark(Infinity);
        this.watermark = Infinity;
        this.#ended();
        return true;
    }
  }

  #ended(): void {
    this.status = 'ended';
    this.output.mark({ kind: 'end' });
    this.#host.onEnded(this);
  }
  /** take has what it wants, or nobody reads this task any more: inputs are closed, downstream gets the end. */
  #finish(): void {
    if (this.status !== 'running') return;
    this.dormant = true;
    this.#unfinished = undefined;
    this.output.finished = true;
    this.output.flush();
    for (const slot of this.gate.slots) slot.channel?.close();
    this.output.watermark(Infinity);
    this.watermark = Infinity;
    this.#ended();
  }

  /** Runs user code; an exception ends this operator, never the runtime. */
  #guard(call: { readonly batch: Batch; readonly from: number } | undefined, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error, call);
    }
  }
  #fail(error: unknown, call: { readonly batch: Batch; readonly from: number } | undefined): void {
    if (this.status !== 'running' && this.status !== 'created') return;
    const stageThrew =
      this.operator instanceof StageChain || (this.stages as { threw?: boolean } | undefined)?.threw === true;
    const offsetOfStages = this.operator instanceof StageChain ? 0 : 1;
    const node = this.chain.nodes[stageThrew ? this.stages!.stage + offsetOfStages : 0]!;
    const at = call && this.operator?.at;
    const blamed = stageThrew ? undefined : this.operator?.blamed;
    const record =
      blamed ??
      (call && at !== undefined && at < call.batch.length
        ? {
            value: call.batch.values[at],
            timestamp: call.batch.timestamps[at]!,
            ...(call.batch.partitions &&
              call.batch.offsets && { partition: call.batch.partitions[at]!, offset: call.batch.offsets[at]! }),
          }
        : undefined);
    this.status = 'failed';
    this.output.hasFailed = true;
    this.output.flush();
    if (this.#unfinished?.kind === 'process')
      this.#unfinished.slot.channel?.consumed(this.#unfinished.batch.length - this.#unfinished.from);
    // A barrier that waited for answers from outside waits no longer: a failed task has none.
    if (this.#unfinished?.kind !== 'barrier') this.#unfinished = undefined;
    const working = call ? undefined : this.operator?.working;
    this.#host.onFailure(this, {
      node: node.id,
      error,
      ...(record && { record }),
      ...(working !== undefined && { working }),
    });
  }

  /** Its channels hold about 100 ms of this task's work: by what a record has cost in this turn, and by what really got through. */
  #adapt(startedAt: number): void {
    const taken = this.#taken;
    if (taken === 0) return;
    this.#taken = 0;
    const now = performance.now();
    const byCost = (taken / Math.max(now - startedAt, 1e-3)) * targetMillis;
    const occupied = this.accounting.occupiedMillis(now);
    const throughput =
      occupied > 500 ? (this.inRate.perSecond(this.recordsIn, now) / occupied) * targetMillis : Infinity;
    const wanted = Math.max(1, Math.min(maxCapacity, byCost, throughput));
    for (const { channel } of this.gate.slots) channel?.adapt(wanted);
  }
}

/** A bug of ours, named so that it can be reported; it ends the operator, not the kernel. */
export function brokenInvariant(task: string, what: string): SluiceError {
  return new SluiceError('invariant', `${task}: ${what}. This is a defect of Sluice, please report it.`);
}
