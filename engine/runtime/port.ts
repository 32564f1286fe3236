// An output port of a task: the records of the present call, and the channels that get them as one
// immutable batch.
import type { Channel } from './channel.ts';
import { Columns, ColumnStore, PortBatch } from './columns.ts';

/** A batch is not made larger than this, so that the writer soon notices a slow reader. */
const maxBatch = 2048;
/** The columns of a port that has nothing to send. */
const nothing = new Columns(0);

/** Hot loops write the columns themselves, see `prepare`. */
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
  /**
   * Makes the columns long enough for so many more records. The code that fills them sets `length`.
   */
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
  /** `isContent`: see Batch. */
  flush(isContent = false): void {
    const { length, values } = this;
    if (length === 0) return;
    if (this.channels.length > 0) {
      if (values.length > length) values.length = length;
      const batch = new PortBatch(length, values, this.#columns, this.hasOrigin, this.#store);
      if (isContent) batch.isContent = true;
      for (const channel of this.channels) if (channel.pushBatch(batch)) batch.readers++;
      this.#use(nothing);
    }
    this.#expected = length;
    this.values = [];
    this.hasOrigin = false;
    this.length = 0;
  }
}
