// The output of a task: collects what one call emits, says when to stop, and hands the same immutable batch to every reader.
import type { Batch, Operator, Output } from '../operators/operator.ts';
import type { SourceOutput } from '../operators/source.ts';
import { type Channel, maxCapacity, type Mark } from './channel.ts';

/** How long one call may run before it should return: other tasks, and the thread's messages, wait for it. */
const sliceMillis = 5;
/** A batch is not made larger than this, so that a slow reader is noticed soon. */
const maxBatch = 2048;

/** Counts calls between looks at the clock, so that looking costs nothing per record. */
export class Slice {
  #left = 1;
  #step = 1;
  #until = 0;
  #lookedAt = 0;

  start(now: number): void {
    this.#until = now + sliceMillis;
    this.#lookedAt = now;
    this.#left = this.#step;
  }
  /** Once per record. True: the time is used up, and it stays so until the next start. */
  get over(): boolean {
    return --this.#left <= 0 && this.#look();
  }
  #look(): boolean {
    const now = performance.now();
    const spent = now - this.#lookedAt;
    this.#lookedAt = now;
    if (spent < 0.5 && this.#step < 4096) this.#step *= 2;
    else if (spent > 1 && this.#step > 1) this.#step = Math.max(1, this.#step >> 1);
    if (now >= this.#until) return true;
    this.#left = this.#step;
    return false;
  }
}

/** One output port: the records of the present call and the channels that will get them. */
class Port {
  channels: readonly Channel[] = [];
  values: unknown[] = [];
  timestamps = new Float64Array(64);
  partitions: Int32Array | undefined;
  offsets: Float64Array | undefined;
  length = 0;
  limit = 0;

  room(): number {
    let room = maxBatch;
    for (const channel of this.channels) if (channel.room < room) room = channel.room;
    return room;
  }
  append(value: unknown, timestamp: number): void {
    if (this.length === this.timestamps.length) this.#grow();
    this.timestamps[this.length] = timestamp;
    this.values.push(value);
    this.length++;
  }
  appendAt(value: unknown, timestamp: number, partition: number, offset: number): void {
    this.append(value, timestamp);
    this.partitions ??= new Int32Array(this.timestamps.length);
    this.offsets ??= new Float64Array(this.timestamps.length);
    this.partitions[this.length - 1] = partition;
    this.offsets[this.length - 1] = offset;
  }
  flush(): void {
    const length = this.length;
    if (length === 0) return;
    if (this.channels.length > 0) {
      const batch: Batch = {
        length,
        values: this.values,
        timestamps: this.timestamps.slice(0, length),
        ...(this.partitions &&
          this.offsets && { partitions: this.partitions.slice(0, length), offsets: this.offsets.slice(0, length) }),
      };
      for (const channel of this.channels) channel.pushBatch(batch);
    }
    this.values = [];
    this.partitions = undefined;
    this.offsets = undefined;
    this.length = 0;
  }
  #grow(): void {
    const size = Math.max(64, this.timestamps.length * 2);
    this.timestamps = grown(this.timestamps, new Float64Array(size));
    if (this.partitions) this.partitions = grown(this.partitions, new Int32Array(size));
    if (this.offsets) this.offsets = grown(this.offsets, new Float64Array(size));
  }
}

function grown<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

export class Collector implements SourceOutput {
  readonly slice = new Slice();
  readonly out = new Port();
  /** Where the records that a per-record operator works on came from: copied to what it emits. `head.at` says which record. */
  origin: Batch | undefined;
  head: Operator | undefined;
  recordsOut = 0;
  lastWatermark = -Infinity;
  isIdle = false;
  finished = false;
  readonly #side = new Map<string, Port>();
  #sideFull = false;

  get full(): boolean {
    return this.out.length >= this.out.limit || this.#sideFull || this.slice.over;
  }
  emit(value: unknown, timestamp: number): void {
    const origin = this.origin;
    const at = this.head?.at;
    if (origin?.partitions && origin.offsets && at !== undefined)
      this.out.appendAt(value, timestamp, origin.partitions[at]!, origin.offsets[at]!);
    else this.out.append(value, timestamp);
  }
  emitAt(value: unknown, timestamp: number, partition: number, offset: number): void {
    this.out.appendAt(value, timestamp, partition, offset);
  }
  emitTo(port: string, value: unknown, timestamp: number): void {
    const side = this.#side.get(port);
    if (!side || side.channels.length === 0) return;
    side.append(value, timestamp);
    if (side.length >= side.limit) this.#sideFull = true;
  }
  hasReader(port: string): boolean {
    return port === 'out' ? this.out.channels.length > 0 : (this.#side.get(port)?.channels.length ?? 0) > 0;
  }
  watermark(time: number): void {
    if (time <= this.lastWatermark && !(time === Infinity && this.lastWatermark < Infinity)) return;
    this.lastWatermark = time;
    this.mark({ kind: 'watermark', time });
  }
  idle(): void {
    if (this.isIdle) return;
    this.isIdle = true;
    this.mark({ kind: 'idle' });
  }
  active(): void {
    if (!this.isIdle) return;
    this.isIdle = false;
    this.mark({ kind: 'active' });
  }
  finish(): void {
    this.finished = true;
  }

  // ------------------------------------------------------------------ for the task

  /** Room for at least one record on every port? */
  get hasRoom(): boolean {
    if (this.out.room() <= 0) return false;
    for (const side of this.#side.values()) if (side.room() <= 0) return false;
    return true;
  }
  /** A source runs while somebody reads it. */
  get hasReaders(): boolean {
    return this.channels().some((channel) => !channel.closed);
  }
  /** Every reader of every port has gone. */
  get abandoned(): boolean {
    const channels = this.channels();
    return channels.length > 0 && channels.every((channel) => channel.closed);
  }
  begin(now: number): void {
    this.slice.start(now);
    this.out.limit = Math.min(this.out.room(), maxCapacity);
    this.#sideFull = false;
    for (const side of this.#side.values()) side.limit = side.room();
  }
  flush(): void {
    this.recordsOut += this.out.length;
    this.out.flush();
    for (const side of this.#side.values()) side.flush();
  }
  /** Records before it, then the mark, to the readers of all ports. */
  mark(mark: Mark): void {
    this.flush();
    for (const channel of this.channels()) channel.pushMark(mark);
  }
  channels(): readonly Channel[] {
    if (this.#side.size === 0) return this.out.channels;
    return [...this.out.channels, ...[...this.#side.values()].flatMap((side) => side.channels)];
  }
  channelsByPort(): ReadonlyMap<string, readonly Channel[]> {
    return new Map([
      ['out', this.out.channels],
      ...[...this.#side].map(([port, side]) => [port, side.channels] as const),
    ]);
  }
  connect(byPort: ReadonlyMap<string, readonly Channel[]>): void {
    this.out.channels = byPort.get('out') ?? [];
    for (const side of this.#side.values()) side.channels = [];
    for (const [port, channels] of byPort) {
      if (port === 'out') continue;
      let side = this.#side.get(port);
      if (!side) this.#side.set(port, (side = new Port()));
      side.channels = channels;
    }
  }
}

/** The output of an operator with stages fused behind it: what it emits runs through them first. */
export class StagedOutput implements Output {
  readonly #collector: Collector;
  readonly emit: (value: unknown, timestamp: number) => void;
  constructor(collector: Collector, emit: (value: unknown, timestamp: number) => void) {
    this.#collector = collector;
    this.emit = emit;
  }
  get full(): boolean {
    return this.#collector.full;
  }
  emitTo(port: string, value: unknown, timestamp: number): void {
    this.#collector.emitTo(port, value, timestamp);
  }
  hasReader(port: string): boolean {
    return this.#collector.hasReader(port);
  }
  watermark(time: number): void {
    this.#collector.watermark(time);
  }
  idle(): void {
    this.#collector.idle();
  }
  active(): void {
    this.#collector.active();
  }
  finish(): void {
    this.#collector.finish();
  }
}
