// Random numbers for generated records. Draw k of record n is a function of (seed, n, k), so other
// draws do not change it.

/**
 * The finaliser of MurmurHash3: a bijection of 32 bits in which each result bit depends on all
 * argument bits.
 */
export function fmix32(bits: number): number {
  const once = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}

/**
 * The numbers of one record: xoroshiro64**, seeded from seed and n. Different n below 2^32 never
 * share a state.
 */
export class RecordRandom {
  #s0: number;
  #s1: number;

  constructor(seed: RecordSeed, n: number) {
    const low = n | 0;
    const high = Math.floor(n / 0x1_0000_0000) | 0;
    this.#s0 = fmix32(low ^ seed.first);
    this.#s1 = fmix32(this.#s0 ^ high ^ seed.second);
    // This one state would stay zero for ever.
    if ((this.#s0 | this.#s1) === 0) this.#s1 = 1;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    return ((this.#bits() >>> 5) * 0x400_0000 + (this.#bits() >>> 6)) / 0x20_0000_0000_0000;
  }

  #bits(): number {
    const result = Math.imul(rotate(Math.imul(this.#s0, 0x9e3779bb), 5), 5);
    const mixed = this.#s1 ^ this.#s0;
    this.#s0 = rotate(this.#s0, 26) ^ mixed ^ (mixed << 9);
    this.#s1 = rotate(mixed, 13);
    return result;
  }
}

export interface RecordSeed {
  readonly first: number;
  readonly second: number;
}

/** A seed is any safe integer. Neighbouring seeds give unrelated numbers. */
export function recordSeed(seed: number): RecordSeed {
  const first = fmix32((seed | 0) ^ 0x5eed1e55);
  const second = fmix32(Math.floor(seed / 0x1_0000_0000) ^ fmix32(first ^ 0x9e3779b9));
  return { first, second };
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}
