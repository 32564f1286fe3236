// The event time of a source: a watermark per partition (bounded out-of-orderness), and the minimum
// over the active partitions.
//
// The results are those of a source that emits its watermark after every record, so they do not
// depend on the pace of reading. A watermark W is emitted later than that, as long as nobody can
// see the difference: every 200 ms of processing time, and before a record with a timestamp up to W
// plus the time margin of the readers (engine/graph/time-margin.ts). Such a record is late, or W
// fires something before it. Between the partitions of a source, the order is that of reading. In
// micro-batches time advances at the end of the batch only.
//
//   partition:  active ──no record for `idleness`, while the source could read──► idle
//                  ▲                                                               │
//                  └──────────── next record: counts at once ──────────────────────┘
//
// A source that knows when a partition is read to its end calls `countsAnswers`. Then silence is
// what it reports with `silent` (reported-silence.ts), and not the time without records. It calls
// `holdsBack` as soon as it knows of something that it has not emitted, or has no answer. From then
// on the partition holds time back where it was, before a record of another partition is emitted.
//
// A source calls `record` before it emits a record, and `onClock` at the end of each poll. When it
// waits, it asks to be woken at `nextAt`. A source in an alignment group calls `isAhead` before it
// reads a partition, and does not read a partition that is ahead; see watermark-alignment.ts.
import type { WatermarkSpec } from '../graph/spec.ts';
import type { Output } from '../contract/operator.ts';
import type { PartitionStatus } from '../contract/source.ts';
import type { Emitted } from './emitted.ts';
import { emitEveryMillis, watermarkAfter } from './bounded-out-of-orderness.ts';
import { type HeldPartition, HeldPartitions } from './held-partitions.ts';
import { type HeldBack, MeasuredSilence } from './measured-silence.ts';
import { PartitionWatermarks } from './partition-watermarks.ts';
import { ReportedSilence } from './reported-silence.ts';
import { ReachedWatermark } from './reached-watermark.ts';
import { type AlignedSource, lookAgainMillis } from './watermark-alignment.ts';

interface Partition extends HeldPartition {
  readonly name: string;
  /** A record has arrived since the last emission. */
  hasNewRecord: boolean;
  lastRecordAt: number | undefined;
}
export interface PartitionTime {
  readonly name: string;
  readonly newest: number;
  readonly isIdle: boolean;
}
export interface SourceTimeState {
  readonly combined: number;
  readonly isIdle: boolean;
  readonly partitions: readonly PartitionTime[];
}

/** `holdsTime`: a micro-batch is running; time advances at its end. */
type TimeOutput = Pick<Output, 'watermark' | 'idle' | 'active' | 'timeMargin'> & { readonly holdsTime?: boolean };

export class SourceTime {
  readonly #output: TimeOutput;
  readonly #boundMillis: number;
  readonly #idlenessMillis: number;
  readonly #partitions: Partition[] = [];
  readonly #byName = new Map<string, number>();
  readonly #watermarks = new PartitionWatermarks(0);
  readonly #reached: ReachedWatermark;
  #emitAt: number;
  #lookedAt: number;
  readonly #measured = new MeasuredSilence();
  /** Set if the source reports silence. */
  #reported: ReportedSilence | undefined;
  /** When the next partition becomes idle if it gets no record; in `#measured.waited` time. */
  #nextIdleAt = Infinity;
  #hasNews = false;
  #isRestored = false;
  readonly #alignment: AlignedSource | undefined;
  readonly #held: HeldPartitions<Partition> | undefined;

  /**
   * `now` is the processing time at opening. Without a spec: records in order, partitions never
   * idle.
   */
  constructor(output: TimeOutput, now: number, spec?: WatermarkSpec, alignment?: AlignedSource) {
    this.#alignment = alignment;
    if (alignment) alignment.watermark = () => this.#reached.now;
    this.#output = output;
    this.#boundMillis = spec?.outOfOrdernessMillis ?? 0;
    this.#reached = new ReachedWatermark(this.#partitions, this.#boundMillis);
    this.#held = alignment && new HeldPartitions(alignment, this.#partitions, this.#boundMillis);
    this.#idlenessMillis = spec?.idlenessMillis ?? Infinity;
    this.#lookedAt = now;
    this.#emitAt = now + emitEveryMillis;
  }

  /** Right after construction: only `silent` makes partitions idle. */
  countsAnswers(): void {
    this.#reported = new ReportedSilence();
    this.#nextIdleAt = Infinity;
  }
  /** The partition has answered, is read to its end and had nothing. */
  silent(partition: number, now: number): void {
    const state = this.#partitions[partition]!;
    this.#reported?.report(partition, now);
    if (!state.isIdle && this.#isSilent(partition)) this.#nextIdleAt = this.#measured.waited;
  }
  #isSilent(partition: number): boolean {
    return this.#silence.millis(partition) >= this.#idlenessMillis;
  }
  get #silence(): MeasuredSilence | ReportedSilence {
    return this.#reported ?? this.#measured;
  }
  /**
   * These partitions are not silent. `unknown`: they do not answer. Otherwise they have something
   * that is not emitted. Those that were idle hold time back from now on, all at once.
   */
  holdsBack(partitions: readonly number[], isKnown: 'unknown' | 'something'): void {
    for (const partition of partitions)
      if (isKnown === 'unknown') this.#reported?.pause(partition);
      else this.#reported?.end(partition);
    const idle = partitions.filter((partition) => this.#partitions[partition]!.isIdle);
    if (idle.length === 0) return;
    // Records that were emitted while these were silent have brought time so far.
    const reached = this.#reached.now;
    const isDue = !this.#output.holdsTime && !this.#isRestored;
    if (isDue && reached > this.#watermarks.combined && reached < Infinity) this.#emitNow(reached);
    for (const partition of idle) this.#partitions[partition]!.isIdle = false;
    this.#activate(idle);
  }
  /** Before records are emitted: silence that was not reported lately is over. */
  endOldSilence(now: number): void {
    const old = this.#reported?.old(now) ?? [];
    if (old.length > 0) this.holdsBack(old, 'unknown');
  }
  /** After a restore the channels are new, and get all of it with the first emission. */
  #activate(partitions: readonly number[]): void {
    const emitted = this.#watermarks.active(...partitions);
    if (!this.#isRestored) forward(this.#output, emitted);
    this.#reached.lookAgain();
  }

  /**
   * The number of a partition. A new partition holds time back until it has a record or is idle.
   */
  partition(name: string | number): number {
    const key = String(name);
    const known = this.#byName.get(key);
    return known ?? this.#add(key, -Infinity, false);
  }
  #add(name: string, newest: number, isIdle: boolean): number {
    const watermark = watermarkAfter(newest, this.#boundMillis);
    const { isIdle: areAllIdle } = this.#watermarks;
    const index = this.#watermarks.add(watermark, isIdle || areAllIdle);
    this.#partitions.push({ name, newest, isIdle, hasNewRecord: false, lastRecordAt: undefined, isHeld: false });
    this.#silence.end(index);
    this.#byName.set(name, index);
    this.#reached.lookAgain();
    if (isIdle) return index;
    if (areAllIdle) this.#activate([index]);
    this.#planIdleness();
    return index;
  }
  /**
   * A partition may become idle from now on. `nextAt` and `onClock` must compute the same time;
   * otherwise `nextAt` asks for a call that `onClock` ignores.
   */
  #planIdleness(): void {
    if (this.#reported) return;
    this.#nextIdleAt = Math.min(this.#nextIdleAt, this.#measured.waited + this.#idlenessMillis);
  }

  /**
   * A record is about to be emitted. If it needs the reached watermark before it, the watermark is
   * emitted now.
   */
  record(partition: number, timestamp: number): void {
    const reached = this.#reached;
    if (!reached.isReading(partition)) reached.read(partition, this.#watermarks.combined);
    if (timestamp <= reached.pending + this.#margin) this.#emitReached();
    const state = this.#partitions[partition]!;
    if (timestamp > state.newest) reached.advance(timestamp);
    if (state.hasNewRecord) return;
    state.hasNewRecord = true;
    this.#hasNews = true;
    this.#reported?.end(partition);
    if (!state.isIdle) return;
    state.isIdle = false;
    this.#silence.end(partition);
    this.#planIdleness();
    forward(this.#output, this.#watermarks.active(partition));
    reached.read(partition, this.#watermarks.combined);
  }
  /**
   * For a source that writes many records in place. It calls `record` for the first record of a
   * call, and for each record that is behind the newest one by at least this. The others need
   * nothing before them, and `passed` counts them together.
   */
  get askingDistance(): number {
    return this.#boundMillis + 1 - this.#margin;
  }
  newestOf(partition: number): number {
    return this.#partitions[partition]!.newest;
  }
  /** Records behind the last call of `record` had timestamps up to this. */
  passed(partition: number, newest: number): void {
    if (newest > this.#partitions[partition]!.newest) this.#reached.advance(newest);
  }

  /**
   * Several records of a partition wait. Returns how many of them, at least one, are to be emitted
   * now. The next one needs a watermark before it, or must wait for other sources: see `isAhead`.
   */
  records(partition: number, timestamps: Float64Array, count: number): number {
    if (count === 0) return 0;
    const limit = this.#alignment?.limit() ?? Infinity;
    this.record(partition, timestamps[0]!);
    return this.#reached.run(timestamps, count, this.#margin, limit);
  }
  /**
   * A record with a timestamp up to the pending watermark plus this needs that watermark first. If
   * nothing is pending, the sum is −∞ or NaN, and no timestamp is up to it.
   */
  get #margin(): number {
    return this.#output.holdsTime ? -Infinity : (this.#output.timeMargin ?? 0);
  }
  #emitReached(): void {
    this.#emitNow(this.#reached.take());
  }
  #emitNow(watermark: number): void {
    this.#watermarks.raise(watermark);
    this.#output.watermark(watermark);
  }
  get isAligned(): boolean {
    return this.#alignment !== undefined;
  }
  /** True: the source must not read the partition until it is woken. */
  isAhead(partition: number): boolean {
    return this.#held?.isAhead(partition) ?? false;
  }
  /** Why the source waits for other sources, if it does. */
  get waiting(): string | undefined {
    return this.#alignment?.waiting;
  }
  /** Leaves the alignment group: no source waits for it any more. */
  close(): void {
    this.#alignment?.leave();
  }

  /**
   * `heldBack`: the poll ended because there was no room, or a record waits for the source's rate.
   * Then the time until the next call is not silence.
   */
  onClock(now: number, heldBack: HeldBack = false): void {
    this.#measured.pass(now - this.#lookedAt, heldBack);
    this.#lookedAt = now;
    // A partition that waits for other sources does not become idle.
    for (const partition of this.#held?.align() ?? []) this.#silence.end(partition);
    if (this.#output.holdsTime) return;
    if (now < this.#emitAt && !this.#isRestored && this.#measured.waited < this.#nextIdleAt) return;
    this.#emit(now);
  }
  /**
   * A partition of a bounded source has ended: it no longer holds time back. Not for the last
   * partition, whose end is the end of the source.
   */
  done(partition: number): void {
    const state = this.#partitions[partition]!;
    this.#reported?.end(partition);
    if (state.isIdle) return;
    if (state.hasNewRecord) state.lastRecordAt = this.#lookedAt;
    state.hasNewRecord = false;
    state.isIdle = true;
    this.#reached.lookAgain();
    forward(this.#output, this.#watermarks.idle(partition));
    this.#alignment?.moved();
  }

  /** All records of a micro-batch are emitted. */
  endBatch(now: number): void {
    this.onClock(now, this.#measured.isHeldBack);
    this.#emit(now);
  }

  /** Before the end of the source: emits the last watermark. */
  final(): void {
    this.#emit(this.#lookedAt);
    this.close();
  }

  /**
   * When `onClock` must be called even without records, or waiting partitions must be checked
   * again.
   */
  get wakeAt(): number {
    const looksAgain = (this.#alignment?.pausedAt ?? Infinity) < Infinity;
    return Math.min(this.nextAt, looksAgain ? this.#lookedAt + lookAgainMillis : Infinity);
  }
  /** When `onClock` must be called even without records; Infinity: only after the next record. */
  get nextAt(): number {
    if (this.#output.holdsTime) return Infinity;
    if (this.#isRestored) return this.#lookedAt;
    const emission = this.#hasNews ? this.#emitAt : Infinity;
    if (this.#measured.standsStill) return emission;
    return Math.min(emission, this.#lookedAt + (this.#nextIdle() - this.#measured.waited));
  }
  #nextIdle(): number {
    return this.#reported ? Infinity : this.#measured.nextIdle(this.#partitions, this.#idlenessMillis);
  }

  #emit(now: number): void {
    this.#emitAt = now + emitEveryMillis;
    if (this.#isRestored) {
      // The channels are new: they get the last watermark and idleness again.
      this.#isRestored = false;
      if (this.#watermarks.combined > -Infinity) this.#output.watermark(this.#watermarks.combined);
      if (this.#watermarks.isIdle) this.#output.idle();
      // Records before the snapshot had brought time further than the last emission.
      forward(this.#output, this.#watermarks.catchUp());
    }
    let reached: Emitted | undefined;
    this.#partitions.forEach((state, index) => {
      if (!state.hasNewRecord) return;
      state.hasNewRecord = false;
      state.lastRecordAt = now;
      this.#silence.end(index);
      reached = this.#watermarks.watermark(index, watermarkAfter(state.newest, this.#boundMillis))[0] ?? reached;
    });
    if (reached) forward(this.#output, [reached]);
    this.#partitions.forEach((state, index) => {
      if (state.isIdle || !this.#isSilent(index)) return;
      state.isIdle = true;
      forward(this.#output, this.#watermarks.idle(index));
      this.#alignment?.moved();
    });
    this.#hasNews = false;
    this.#nextIdleAt = this.#nextIdle();
    this.#reached.lookAgain();
  }
  partitions(): PartitionStatus[] {
    return this.#partitions.map((state, index) => statusOf(state, this.#boundMillis, this.#silence.millis(index)));
  }
  snapshot(): SourceTimeState {
    return {
      combined: this.#watermarks.combined,
      isIdle: this.#watermarks.isIdle,
      partitions: this.#partitions.map(({ name, newest, isIdle }) => ({ name, newest, isIdle })),
    };
  }
  /** Right after construction. */
  restore(state: SourceTimeState): void {
    for (const { name, newest, isIdle } of state.partitions) this.#add(name, newest, isIdle);
    this.#watermarks.resume(state.combined, state.isIdle);
    this.#isRestored = true;
  }
}

function statusOf(state: Partition, boundMillis: number, silentMillis: number): PartitionStatus {
  const { name, newest, isIdle, lastRecordAt } = state;
  return {
    partition: name,
    ...(newest > -Infinity && { watermark: watermarkAfter(newest, boundMillis) }),
    idle: isIdle,
    silentMillis,
    ...(lastRecordAt !== undefined && { lastRecordAt }),
  };
}
function forward(output: TimeOutput, emitted: readonly Emitted[]): void {
  for (const one of emitted) {
    if (one === 'idle') output.idle();
    else if (one === 'active') output.active();
    else output.watermark(one.watermark);
  }
}
