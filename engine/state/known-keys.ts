// A set of byte strings where they lie: nothing is copied and no text is made of them. Compaction
// asks it for each record of a chain, so a lookup allocates nothing.
//
// It is a hash table with open addressing. Its size is given at the start, and it never grows.

export class KnownKeys {
  /** Slots of the hash table: 1 + the number of a key, 0 for an empty slot. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** By number, in the order of `add`. */
  readonly #hashes: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #bytes: Uint8Array[] = [];

  /** `most`: so many keys are added at most. */
  constructor(most: number) {
    let size = 16;
    while (size < 2 * most) size *= 2;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    this.#hashes = new Int32Array(most);
    this.#starts = new Int32Array(most);
    this.#ends = new Int32Array(most);
  }
  get size(): number {
    return this.#bytes.length;
  }

  /** The number of the key; −1: it is not known. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(bytes, start, end, hashOf(bytes, start, end))]! - 1;
  }
  /** A key that is known already keeps its number. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const hash = hashOf(bytes, start, end);
    const slot = this.#slotOf(bytes, start, end, hash);
    if (this.#slots[slot] !== 0) return;
    const number = this.#bytes.push(bytes) - 1;
    this.#slots[slot] = number + 1;
    this.#hashes[number] = hash;
    this.#starts[number] = start;
    this.#ends[number] = end;
  }

  /** The slot of the key, or the empty slot in which it would be. */
  #slotOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0 || (this.#hashes[number] === hash && this.#isSame(number, bytes, start, end))) return slot;
    }
  }
  #isSame(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const other = this.#bytes[number]!;
    const from = this.#starts[number]!;
    if (this.#ends[number]! - from !== end - start) return false;
    for (let i = start, at = from; i < end; i++, at++) if (bytes[i] !== other[at]) return false;
    return true;
  }
}

/** FNV-1a, then mixed, because the slot is of its low bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
