// A queue without a size limit and with bounded memory: its middle part is in a temporary file.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

/** Number of entries in memory at each end. */
const mostInMemory = 16_384;

interface Chunk {
  readonly position: number;
  readonly bytes: number;
  readonly entries: number;
}

/** First in, first out. Entries must be values that structured clone accepts. */
export class SpillingQueue<E> {
  #front: E[] = [];
  #at = 0;
  #chunks: Chunk[] = [];
  #spilled = 0;
  #back: E[] = [];
  #file: { readonly folder: string; readonly descriptor: number } | undefined;
  #end = 0;

  get size(): number {
    return this.#front.length - this.#at + this.#spilled + this.#back.length;
  }
  /** Number of entries in the file. */
  get spilled(): number {
    return this.#spilled;
  }
  push(entry: E): void {
    if (this.#spilled === 0 && this.#back.length === 0 && this.#front.length < mostInMemory) {
      this.#front.push(entry);
      return;
    }
    this.#back.push(entry);
    if (this.#back.length >= mostInMemory) this.#spill();
  }
  shift(): E | undefined {
    if (this.#at === this.#front.length) this.#refill();
    const entry = this.#front[this.#at];
    this.#front[this.#at++] = undefined as never;
    if (this.#at >= this.#front.length) {
      this.#front = [];
      this.#at = 0;
    }
    return entry;
  }
  /** All entries in order; the queue stays as it is. */
  *[Symbol.iterator](): IterableIterator<E> {
    yield* this.#front.slice(this.#at);
    for (const chunk of this.#chunks) yield* this.#read(chunk);
    yield* this.#back;
  }
  clear(): void {
    this.#front = [];
    this.#at = 0;
    this.#back = [];
    this.#chunks = [];
    this.#spilled = 0;
    this.#release();
  }

  #refill(): void {
    this.#at = 0;
    const chunk = this.#chunks.shift();
    if (!chunk) {
      this.#front = this.#back;
      this.#back = [];
      return;
    }
    this.#front = this.#read(chunk);
    this.#spilled -= chunk.entries;
    if (this.#chunks.length === 0) this.#release();
  }
  #spill(): void {
    const entries = this.#back;
    this.#back = [];
    this.#file ??= open();
    const bytes = serialize(entries);
    writeSync(this.#file.descriptor, bytes, 0, bytes.length, this.#end);
    this.#chunks.push({ position: this.#end, bytes: bytes.length, entries: entries.length });
    this.#end += bytes.length;
    this.#spilled += entries.length;
  }
  #read({ position, bytes }: Chunk): E[] {
    const buffer = Buffer.alloc(bytes);
    readSync(this.#file!.descriptor, buffer, 0, bytes, position);
    return deserialize(buffer) as E[];
  }
  #release(): void {
    if (!this.#file) return;
    closeSync(this.#file.descriptor);
    rmSync(this.#file.folder, { recursive: true, force: true });
    this.#file = undefined;
    this.#end = 0;
  }
}

function open(): { readonly folder: string; readonly descriptor: number } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  return { folder, descriptor: openSync(join(folder, 'queue'), 'w+') };
}
