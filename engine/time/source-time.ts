// The event time of a source: a watermark per partition (bounded out-of-orderness), the minimum over the active ones, said every 200 ms of the clock.
//
//   partition:  active ──`idleness` without a record while the source had time to look──► idle ──record──► active, counts at once
//
// A source calls `record` before it emits the record, and `onClock` at the end of each poll; when it waits, it asks to be woken at `nextAt`. One that is aligned
// with others asks `isAhead` before it reads a partition, and leaves one that is where it is; see watermark-alignment.ts.
import type { WatermarkSpec } from '../graph/spec.ts';
import type { Output } from '../contract/operator.ts';
import type { PartitionStatus } from '../contract/source.ts';
import type { Emitted } from './emitted.ts';
import { watermarkAfter } from './bounded-out-of-orderness.ts';
import { PartitionWatermarks } from './partition-watermarks.ts';
import { type AlignedSource, lookAgainMillis } from './watermark-alignment.ts';

export const emitEveryMillis = 200;
/** Of a time in which the source was not asked for records (nobody took them), no more than this counts as silence. */
const countedWhileHeldBack = 2 * emitEveryMillis;

interface Partition {
  readonly name: string;
  newest: number;
  isIdle: boolean;
  /** A record has come since the last look at the clock. */
  hasSpoken: boolean;
  lastRecordAt: number | undefined;
  /** In `#waited` time. */
  silentSince: number;
  /** It was to be read, but is ahead of others. */
  isHeld: boolean;
}
export interface SourceTimeState {
  readonly combined: number;
  readonly isIdle: boolean;
  readonly partitions: readonly { readonly name: string; readonly newest: number; readonly isIdle: boolean }[];
}

/** `holdsTime`: a micro-batch is being read, time moves on when it is in. */
type TimeOutput = Pick<Output, 'watermark' | 'idle' | 'active'> & { readonly holdsTime?: boolean };

export class SourceTime {
  readonly #output: TimeOutput;
  readonly #boundMillis: number;
  readonly #idlenessMillis: number;
  readonly #partitions: Partition[] = [];
  readonly #byName = new Map<string, number>();
  readonly #watermarks = new PartitionWatermarks(0);
  #emitAt: number;
  #lookedAt: number;
  /** Time spent looking for records: what idleness is measured in. */
  #waited = 0;
  /** The next partition turns idle then, unless it speaks; in `#waited` time. */
  #nextIdleAt = Infinity;
  #heldBack = false;
  #hasNews = false;
  #isRestored = false;
  readonly #alignment: AlignedSource | undefined;
  /** A partition whose watermark is at most this is not ahead; as of the last look. */
  #alignedUpTo = -Infinity;

  /** `now` is the clock's time at the opening; no spec: in order, never idle. */
  constructor(output: TimeOutput, now: number, spec?: WatermarkSpec, alignment?: AlignedSource) {
    this.#alignment = alignment;
    if (alignment) alignment.watermark = () => this.#reached();
    this.#output = output;
    this.#boundMillis = spec?.outOfOrdernessMillis ?? 0;
    this.#idlenessMillis = spec?.idlenessMillis ?? Infinity;
    this.#lookedAt = now;
    this.#emitAt = now + emitEveryMillis;
  }

  /** The number of a partition; one that is new holds time back until it has spoken or is idle. */
  partition(name: string | number): number {
    const key = String(name);
    const known = this.#byName.get(key);
    return known ?? this.#add(key, -Infinity, false);
  }
  #add(name: string, newest: number, isIdle: boolean): number {
    const watermark = watermarkAfter(newest, this.#boundMillis);
    const index = this.#watermarks.add(watermark, isIdle);
    this.#partitions.push({
      name,
      newest,
      isIdle,
      hasSpoken: false,
      lastRecordAt: undefined,
      silentSince: this.#waited,
      isHeld: false,
    });
    this.#byName.set(name, index);
    if (!isIdle) this.#expectSilence();
    return index;
  }
  /** A partition may turn idle after what has been waited so far: `nextAt` and `onClock` must mean the same moment, or the one asks for a call that the other ignores. */
  #expectSilence(): void {
    this.#nextIdleAt = Math.min(this.#nextIdleAt, this.#waited + this.#idlenessMillis);
  }

  /** A record is about to be emitted. */
  record(partition: number, timestamp: number): void {
    const state = this.#partitions[partition]!;
    if (timestamp > state.newest) state.newest = timestamp;
    if (state.hasSpoken) return;
    state.hasSpoken = true;
    this.#hasNews = true;
    if (!state.isIdle) return;
    state.isIdle = false;
    state.silentSince = this.#waited;
    this.#expectSilence();
    this.#say(this.#watermarks.active(partition));
  }

  /** Several records are about to be emitted. */
  records(partition: number, timestamps: Float64Array, count: number): void {
    let newest = -Infinity;
    for (let i = 0; i < count; i++) if (timestamps[i]! > newest) newest = timestamps[i]!;
    if (count > 0) this.record(partition, newest);
  }
  // ------------------------------------------------------------------------------------------------ alignment

  get isAligned(): boolean {
    return this.#alignment !== undefined;
  }
  /** The partition is to be left where it is, until the source is woken. */
  isAhead(partition: number): boolean {
    if (!this.#alignment) return false;
    const state = this.#partitions[partition]!;
    const watermark = watermarkAfter(state.newest, this.#boundMillis);
    if (watermark <= this.#alignedUpTo) return false;
    this.#alignedUpTo = this.#alignment.limit();
    return (state.isHeld = watermark > this.#alignedUpTo);
  }
  /** How many of these records may go out, the one included that brings the partition ahead of others. */
  untilAhead(partition: number, timestamps: Float64Array, count: number): number {
    if (!this.#alignment) return count;
    const limit = this.#alignment.limit();
    let { newest } = this.#partitions[partition]!;
    for (let i = 0; i < count; i++) {
      if (timestamps[i]! > newest) newest = timestamps[i]!;
      if (watermarkAfter(newest, this.#boundMillis) > limit) return i + 1;
    }
    return count;
  }
  /** How far the records of all active partitions have come; Infinity when all are idle. */
  #reached(): number {
    let reached = this.#partitions.length === 0 ? -Infinity : Infinity;
    for (const { newest, isIdle } of this.#partitions)
      if (!isIdle) reached = Math.min(reached, watermarkAfter(newest, this.#boundMillis));
    return reached;
  }
  /** After a poll: says to the others how far this has come, and which of its partitions wait for them. Those are not silent. */
  #align(): void {
    const alignment = this.#alignment!;
    this.#alignedUpTo = alignment.limit();
    alignment.pausedAt = Infinity;
    for (const state of this.#partitions) {
      if (!state.isHeld) continue;
      const watermark = watermarkAfter(state.newest, this.#boundMillis);
      state.isHeld = watermark > this.#alignedUpTo;
      if (!state.isHeld) continue;
      alignment.pausedAt = Math.min(alignment.pausedAt, watermark);
      state.silentSince = this.#waited;
    }
    alignment.moved();
  }
  /** Why it waits for other sources, when it does. */
  get waiting(): string | undefined {
    return this.#alignment?.waiting;
  }
  /** It goes away: nobody waits for it any more. */
  close(): void {
    this.#alignment?.leave();
  }

  // ------------------------------------------------------------------------------------------------

  /** `heldBack`: the poll ended for want of room, not of records, so the time until the next call says nothing about silence. */
  onClock(now: number, heldBack = false): void {
    const passed = now - this.#lookedAt;
    this.#lookedAt = now;
    this.#waited += this.#heldBack ? Math.min(passed, countedWhileHeldBack) : passed;
    this.#heldBack = heldBack;
    if (this.#alignment) this.#align();
    if (this.#output.holdsTime) return;
    if (now < this.#emitAt && !this.#isRestored && this.#waited < this.#nextIdleAt) return;
    this.#emit(now);
  }
  /** A partition of a bounded source has given all it has: it holds time back no more. Not for the last one, whose end is the source's. */
  done(partition: number): void {
    const state = this.#partitions[partition]!;
    if (state.isIdle) return;
    if (state.hasSpoken) state.lastRecordAt = this.#lookedAt;
    state.hasSpoken = false;
    state.isIdle = true;
    this.#say(this.#watermarks.idle(partition));
    this.#alignment?.moved();
  }

  /** All records of a micro-batch are out. */
  endBatch(now: number): void {
    this.onClock(now, this.#heldBack);
    this.#emit(now);
  }

  /** Before the end of the source: says once more how far it has come. */
  final(): void {
    this.#emit(this.#lookedAt);
    this.close();
  }

  /** When `onClock` wants to be called though no record may come, or the partitions that wait for others are to be looked at again. */
  get wakeAt(): number {
    const looksAgain = (this.#alignment?.pausedAt ?? Infinity) < Infinity;
    return Math.min(this.nextAt, looksAgain ? this.#lookedAt + lookAgainMillis : Infinity);
  }
  /** When `onClock` wants to be called though no record may come; Infinity: only after the next record. */
  get nextAt(): number {
    if (this.#output.holdsTime) return Infinity;
    if (this.#isRestored) return this.#lookedAt;
    const emission = this.#hasNews ? this.#emitAt : Infinity;
    return Math.min(emission, this.#lookedAt + (this.#nextIdle() - this.#waited));
  }
  #nextIdle(): number {
    let next = Infinity;
    for (const { isIdle, silentSince } of this.#partitions)
      if (!isIdle) next = Math.min(next, silentSince + this.#idlenessMillis);
    return next;
  }

  #emit(now: number): void {
    this.#emitAt = now + emitEveryMillis;
    if (this.#isRestored) {
      // The channels are new: they learn again what the former ones knew.
      this.#isRestored = false;
      if (this.#watermarks.combined > -Infinity) this.#output.watermark(this.#watermarks.combined);
      if (this.#watermarks.isIdle) this.#output.idle();
    }
    let reached: Emitted | undefined;
    this.#partitions.forEach((state, index) => {
      if (!state.hasSpoken) return;
      state.hasSpoken = false;
      state.lastRecordAt = now;
      state.silentSince = this.#waited;
      reached = this.#watermarks.watermark(index, watermarkAfter(state.newest, this.#boundMillis))[0] ?? reached;
    });
    if (reached) this.#say([reached]);
    this.#partitions.forEach((state, index) => {
      if (state.isIdle || this.#waited - state.silentSince < this.#idlenessMillis) return;
      state.isIdle = true;
      this.#say(this.#watermarks.idle(index));
      this.#alignment?.moved();
    });
    this.#hasNews = false;
    this.#nextIdleAt = this.#nextIdle();
  }
  #say(emitted: readonly Emitted[]): void {
    for (const one of emitted) {
      if (one === 'idle') this.#output.idle();
      else if (one === 'active') this.#output.active();
      else this.#output.watermark(one.watermark);
    }
  }

  partitions(): PartitionStatus[] {
    return this.#partitions.map(({ name, newest, isIdle, lastRecordAt }) => ({
      partition: name,
      ...(newest > -Infinity && { watermark: watermarkAfter(newest, this.#boundMillis) }),
      idle: isIdle,
      ...(lastRecordAt !== undefined && { lastRecordAt }),
    }));
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
