// Walks over the records of a chunk, each with the bytes of its key, its value and its headers.
import { ChunkText } from '../../engine/connectors/kafka/record-decoder.ts';
import type { Chunk } from '../../engine/connectors/kafka/reader-messages.ts';

export interface ChunkRecord {
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds; −1: it has none. */
  readonly timestamp: number;
  readonly text: ChunkText;
  /** Where the value lies in the text. A negative length: there is none. */
  readonly start: number;
  readonly length: number;
  readonly key: Buffer | undefined;
  /** The bytes of the headers, as record-headers.ts reads them. */
  readonly headers: Buffer | undefined;
}

export class ChunkRecords {
  readonly chunk: Chunk;
  readonly partition: number;
  readonly #text: ChunkText;
  #at = 0;
  #valuesAt = 0;
  #keysAt = 0;
  #headersAt = 0;

  constructor(chunk: Chunk, partition: number) {
    this.chunk = chunk;
    this.partition = partition;
    this.#text = new ChunkText(chunk);
  }

  get left(): number {
    return this.chunk.columns.count - this.#at;
  }
  get text(): ChunkText {
    return this.#text;
  }

  /** The next record. Call it only while some are left. */
  next(): ChunkRecord {
    const { lengths, offsets, timestamps, keys, headers } = this.chunk.columns;
    const index = this.#at++;
    const length = lengths[index]!;
    const start = this.#valuesAt;
    this.#valuesAt += Math.max(0, length);
    const key = keys && sideOf(keys, index, this.#keysAt);
    this.#keysAt += key?.length ?? 0;
    const ofHeaders = headers && sideOf(headers, index, this.#headersAt);
    this.#headersAt += ofHeaders?.length ?? 0;
    return {
      partition: this.partition,
      offset: offsets[index]!,
      timestamp: timestamps[index]!,
      text: this.#text,
      ...{ start, length, key, headers: ofHeaders },
    };
  }
  /** Passes over records, oldest first. */
  skip(count: number): void {
    for (let i = 0; i < count; i++) this.next();
  }
  /** Returns to a record that `next` gave last. */
  putBack({ start, key, headers }: ChunkRecord): void {
    this.#at--;
    this.#valuesAt = start;
    this.#keysAt -= key?.length ?? 0;
    this.#headersAt -= headers?.length ?? 0;
  }
}

function sideOf(
  { bytes, lengths }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly lengths: Int32Array<ArrayBuffer> },
  index: number,
  at: number,
): Buffer | undefined {
  const length = lengths[index]!;
  return length < 0 ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
}
