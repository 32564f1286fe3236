// The figures of each micro-batch. The runtime writes them; the stream of `microBatches()` reads
// them.
import type { MicroBatch } from '../api/surface.ts';

/** A reader that is slower than the batches loses the oldest rows. */
const mostKept = 10_000;

export class MicroBatchLog {
  readonly #readers = new Set<MicroBatchReader>();

  add(batches: readonly MicroBatch[]): void {
    for (const reader of this.#readers) reader.take(batches);
  }
  /** A reader of the batches from now on. */
  open(onNews: () => void): MicroBatchReader {
    const reader = new MicroBatchReader(onNews, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }
}

export class MicroBatchReader {
  readonly close: () => void;
  readonly #onNews: () => void;
  #waiting: MicroBatch[] = [];

  constructor(onNews: () => void, close: () => void) {
    this.#onNews = onNews;
    this.close = close;
  }
  take(batches: readonly MicroBatch[]): void {
    this.#waiting.push(...batches);
    if (this.#waiting.length > mostKept) this.#waiting = this.#waiting.slice(-mostKept);
    this.#onNews();
  }
  /** The oldest batch that waits. */
  next(): MicroBatch | undefined {
    return this.#waiting.shift();
  }
}
