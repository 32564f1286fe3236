// The output of a task: collects what one call emits, says when to stop, and hands the same immutable batch to every reader.
import type { Batch, Operator, Output } from '../contract/operator.ts';
import type { SourceColumns, SourceOutput } from '../contract/source.ts';
import { type Channel, maxCapacity, type Mark } from './channel.ts';
import { Columns, ColumnStore, PortBatch } from './columns.ts';

/** How long one call may run before it should return: other tasks, and the thread's messages, wait for it. */
const sliceMillis = 5;
/** A batch is not made larger than this, so that a slow reader is noticed soon. */
const maxBatch = 2048;
/** Records between two looks at the clock: many, so that looking costs nothing per record; not more, for the next ones may be slow. */
const maxStep = 512;

/** Counts records between looks at the clock. */
export class Slice {
  /** Records that may pass before the next look. */
  left = 1;
  #step = 1;
  #until = 0;
  #lookedAt = 0;

  start(now: number): void {
    this.#until = now + sliceMillis;
    this.#lookedAt = now;
    this.left = this.#step;
  }
  /** Once per record, or after several that were subtracted from `left`. True: the time is used up, and it stays so until the next start. */
  get over(): boolean {
    return --this.left <= 0 && this.#look();
  }
  #look(): boolean {
    const now = performance.now();
    const spent = now - this.#lookedAt;
    this.#lookedAt = now;
    if (spent < 0.5 && this.#step < maxStep) this.#step *= 2;
    else if (spent > 1 && this.#step > 1) this.#step = Math.max(1, this.#step >> 1);
    if (now >= this.#until) return true;
    this.left = this.#step;
    return false;
  }
}

/** Of a port that has nothing to send. */
const nothing = new Columns(0);

/** One output port: the records of the present call and the channels that will get them. Hot loops write the columns themselves, see `prepare`. */
export class Port {
  channels: readonly Channel[] = [];
  values: unknown[] = [];
  timestamps = nothing.timestamps;
  partitions = nothing.partitions;
  offsets = nothing.offsets;
  /** The records say where they came from. */
  hasOrigin = false;
  length = 0;
  limit = 0;
  readonly #store = new ColumnStore();
  #columns = nothing;
  /** How long the batch before was. */
  #expected = 0;

  room(): number {
    let room = maxBatch;
    for (const channel of this.channels) if (channel.room < room) room = channel.room;
    return room;
  }
  /** Makes the columns long enough for so many more records; whoever fills them says so in `length`. */
  prepare(records: number): void {
    if (this.length === 0) this.values = new Array<unknown>(Math.max(records, this.#expected));
    this.#prepareNumbers(records);
  }
  #prepareNumbers(records: number): void {
    const needed = this.length + records;
    if (needed <= this.#columns.capacity) return;
    const columns =
      this.length === 0
        ? this.#store.take(Math.max(needed, this.#expected))
        : this.#store.grow(this.#columns, this.length, needed);
    this.#use(columns);
  }
  #use(columns: Columns): void {
    this.#columns = columns;
    this.timestamps = columns.timestamps;
    this.partitions = columns.partitions;
    this.offsets = columns.offsets;
  }
  append(value: unknown, timestamp: number): void {
    const at = this.length;
    if (at === 0 || at === this.timestamps.length) this.prepare(1);
    this.values[at] = value;
    this.timestamps[at] = timestamp;
    this.length = at + 1;
  }
  appendAt(value: unknown, timestamp: number, partition: number, offset: number): void {
    this.append(value, timestamp);
    const at = this.length - 1;
    this.hasOrigin = true;
    this.partitions[at] = partition;
    this.offsets[at] = offset;
  }
  appendRun(
    values: readonly unknown[],
    from: number,
    to: number,
    timestamps: Float64Array,
    partition: number,
    offset: number,
  ): void {
    const { length } = this;
    const count = to - from;
    this.#prepareNumbers(count);
    this.hasOrigin = true;
    if (length === 0) this.values = values.slice(from, to);
    else for (let i = 0; i < count; i++) this.values[length + i] = values[from + i];
    this.timestamps.set(count < timestamps.length ? timestamps.subarray(0, count) : timestamps, length);
    this.partitions.fill(partition, length, length + count);
    const { offsets } = this;
    for (let i = 0; i < count; i++) offsets[length + i] = offset + i;
    this.length = length + count;
  }
  flush(): void {
    const { length, values } = this;
    if (length === 0) return;
    if (this.channels.length > 0) {
      if (values.length > length) values.length = length;
      const batch = new PortBatch(length, values, this.#columns, this.hasOrigin, this.#store);
      for (const channel of this.channels) if (channel.pushBatch(batch)) batch.readers++;
      this.#use(nothing);
    }
    this.#expected = length;
    this.values = [];
    this.hasOrigin = false;
    this.length = 0;
  }
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
  /** Nothing comes any more, though nobody has been told of an end. */
  hasFailed = false;
  /** Within a micro-batch a source says nothing of time: it moves on when the batch is in. */
  holdsTime = false;
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
  get room(): number {
    return this.out.limit - this.out.length;
  }
  get allowance(): number {
    return this.full ? 0 : Math.min(this.room, Math.max(1, this.slice.left));
  }
  prepare(records: number): SourceColumns {
    this.slice.left -= records - 1;
    this.out.prepare(records);
    this.out.hasOrigin = true;
    return this.out;
  }
  emitRun(
    values: readonly unknown[],
    from: number,
    to: number,
    timestamps: Float64Array,
    partition: number,
    offset: number,
  ): void {
    this.slice.left -= to - from;
    this.out.appendRun(values, from, to, timestamps, partition, offset);
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
  /** Nothing speaks against another call in the same turn. */
  get mayGoOn(): boolean {
    return this.out.length < this.out.limit && !this.#sideFull && !this.slice.over;
  }
  /** Records that no reader can see yet. */
  get hasUnsent(): boolean {
    return this.out.length > 0;
  }
  /** A source runs while somebody reads it. */
  get hasReaders(): boolean {
    if (this.hasFailed) return false;
    return this.channels().some((channel) => !channel.closed);
  }
  /** Every reader of every port has gone. */
  get abandoned(): boolean {
    const channels = this.channels();
    return channels.length > 0 && channels.every((channel) => channel.closed);
  }
  /** `most`: the records that this call may emit. */
  begin(now: number, most = Infinity): void {
    this.slice.start(now);
    this.#sideFull = false;
    this.goOn(most);
  }
  /** Another call in the same turn: what the calls before it emitted may still be here. */
  goOn(most = Infinity): void {
    this.out.limit = Math.min(this.out.room(), maxCapacity, most);
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
