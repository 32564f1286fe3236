// The numbers of a batch: event times, and the partition and offset of each record.
//
// Such arrays live outside the heap. When many new ones are made, V8 collects the whole heap again
// and again. So a batch gives its columns back when its last reader has processed it, and its port
// fills them again.
import type { Batch } from '../contract/operator.ts';
import { invariant } from '../errors/invariant.ts';

/**
 * Columns that wait to be filled again have room for so many records together, since small batches
 * are many. Those that come back beyond this are left to the garbage collector.
 */
const maxSpareRecords = 8 * 2048;
const minCapacity = 4;

export class Columns {
  readonly capacity: number;
  readonly timestamps: Float64Array;
  readonly partitions: Int32Array;
  readonly offsets: Float64Array;
  constructor(capacity: number) {
    this.capacity = capacity;
    this.timestamps = new Float64Array(capacity);
    this.partitions = new Int32Array(capacity);
    this.offsets = new Float64Array(capacity);
  }
}

/** The columns of one port. */
export class ColumnStore {
  readonly #spare: Columns[] = [];
  #spareRecords = 0;

  take(records: number): Columns {
    for (;;) {
      const columns = this.#spare.pop();
      if (!columns) return new Columns(Math.max(minCapacity, records));
      this.#spareRecords -= columns.capacity;
      if (columns.capacity >= records) return columns;
    }
  }
  /** Longer ones with the same content so far. */
  grow(columns: Columns, length: number, records: number): Columns {
    const longer = this.take(Math.max(records, 2 * columns.capacity));
    longer.timestamps.set(columns.timestamps.subarray(0, length));
    longer.partitions.set(columns.partitions.subarray(0, length));
    longer.offsets.set(columns.offsets.subarray(0, length));
    this.giveBack(columns);
    return longer;
  }
  giveBack(columns: Columns): void {
    if (this.#spareRecords + columns.capacity > maxSpareRecords) return;
    this.#spareRecords += columns.capacity;
    this.#spare.push(columns);
  }
}

/** A batch on its way to the readers of a port. */
export class PortBatch implements Batch {
  readonly length: number;
  readonly values: readonly unknown[];
  readonly timestamps: Float64Array;
  readonly partitions: Int32Array | undefined;
  readonly offsets: Float64Array | undefined;
  /**
   * Readers that have not released it. When a reader goes away without a release, the columns are
   * not used again.
   */
  readers = 0;
  isContent = false;
  readonly #columns: Columns;
  readonly #store: ColumnStore;

  constructor(length: number, values: readonly unknown[], columns: Columns, hasOrigin: boolean, store: ColumnStore) {
    this.length = length;
    this.values = values;
    this.timestamps = columns.timestamps;
    this.partitions = hasOrigin ? columns.partitions : undefined;
    this.offsets = hasOrigin ? columns.offsets : undefined;
    this.#columns = columns;
    this.#store = store;
  }
  release(): void {
    invariant(this.readers > 0, 'each reader releases a batch once');
    if (--this.readers === 0) this.#store.giveBack(this.#columns);
  }
}
