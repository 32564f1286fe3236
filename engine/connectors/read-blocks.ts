// Whether the part of a file that was read is still as it was: a checksum for each block of it.
//
// An editor that saves a file in place may change a value in the middle and append a line. Only the
// content tells that from an append. So after each write every block is compared once, a few blocks
// at each look. A file of up to 256 KB is compared whole before the next row is read. A larger one
// takes some looks, and a log that grows all the time costs 256 KB for each look, of any size.
import { crc32 } from 'node:zlib';
import { bytesOf, type FileBytes } from './file-bytes.ts';

const blockBytes = 64 << 10;
const blocksPerLook = 4;
/** Bytes that are in memory at once. */
const partBytes = 256 << 10;

export class ReadBlocks {
  readonly #read: FileBytes['read'];
  /** Of the whole blocks. undefined: it was read before a restore, and is known when it is due. */
  readonly #checksums: (number | undefined)[];
  /** Of the block that is not whole yet. */
  #tail = 0;
  #tailBytes: number;
  /** The next block to compare, and how many are due. */
  #next = 0;
  #due = 0;
  /** The begin of this round over all blocks and of the one before, in epoch milliseconds. */
  #round = -Infinity;
  #roundBefore = -Infinity;

  /** `from`: the number of bytes that were read before the snapshot. */
  constructor(file: number, from: number) {
    this.#read = bytesOf(file);
    const whole = Math.floor(from / blockBytes);
    this.#checksums = Array.from({ length: whole }, (_, block) =>
      block < blocksPerLook ? checksumOf(this.#read, blockBytes, block * blockBytes) : undefined,
    );
    this.#tailBytes = from - whole * blockBytes;
    this.#tail = checksumOf(this.#read, this.#tailBytes, whole * blockBytes) ?? 0;
  }

  /** Adds bytes that were read directly after the earlier ones. */
  took(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + blockBytes - this.#tailBytes);
      this.#tail = crc32(part, this.#tail);
      this.#tailBytes += part.length;
      at += part.length;
      if (this.#tailBytes < blockBytes) continue;
      this.#checksums.push(this.#tail);
      this.#tail = 0;
      this.#tailBytes = 0;
    }
  }

  /** Some blocks were not compared since the last write. */
  get hasDue(): boolean {
    return this.#due > 0;
  }
  /** If a block is other than it was: the last time when all were known to be the same. */
  get sameAt(): number {
    return this.#roundBefore;
  }
  /** The file was written. `sameAt`: the last look before. All blocks are due. */
  written(sameAt: number, now: number): void {
    if (this.#due === 0) {
      this.#next = 0;
      this.#roundBefore = sameAt;
      this.#round = now;
    }
    this.#due = this.#checksums.length + (this.#tailBytes > 0 ? 1 : 0);
  }
  /** Everything was compared in another way. */
  compared(): void {
    this.#due = 0;
  }
  /** Compares some of the blocks that are due. False: one is other than it was. */
  areSame(now: number): boolean {
    for (let room = blocksPerLook; room > 0 && this.#due > 0; room--) {
      if (this.#next * blockBytes >= this.#checksums.length * blockBytes + this.#tailBytes) {
        this.#next = 0;
        this.#roundBefore = this.#round;
        this.#round = now;
      }
      if (!this.#isSame(this.#next)) return false;
      this.#next++;
      this.#due--;
    }
    return true;
  }

  #isSame(block: number): boolean {
    const isTail = block === this.#checksums.length;
    const found = checksumOf(this.#read, isTail ? this.#tailBytes : blockBytes, block * blockBytes);
    if (isTail) return found === this.#tail;
    this.#checksums[block] ??= found;
    return found === this.#checksums[block];
  }
}

/** The checksum of bytes, by default of the first ones; undefined: there are fewer. */
export function checksumOf(read: FileBytes['read'], bytes: number, from = 0): number | undefined {
  const part = Buffer.alloc(Math.min(bytes, partBytes));
  let checksum = 0;
  for (let at = 0; at < bytes;) {
    const count = read(part, 0, Math.min(part.length, bytes - at), from + at);
    if (count === 0) return undefined;
    checksum = crc32(part.subarray(0, count), checksum);
    at += count;
  }
  return checksum;
}
