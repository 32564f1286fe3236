// The random numbers of java.util.Random: a congruential generator of 48 bits, in two halves of 24
// bits so that every product is exact.

const multiplierHigh = 0x5de;
const multiplierLow = 0xece66d;
const half = 0x100_0000;

export class JavaRandom {
  #high: number;
  #low: number;

  /** The seed may be any integer that a number holds exactly. */
  constructor(seed: number) {
    this.#low = (modulo(seed, half) ^ multiplierLow) >>> 0;
    this.#high = (modulo(Math.floor(seed / half), half) ^ multiplierHigh) >>> 0;
  }

  /** A signed 32-bit integer. */
  nextInt(): number {
    this.#step();
    return (this.#high << 8) | (this.#low >>> 16) | 0;
  }
  /** An integer in [0, bound), 0 < bound < 2^31, uniform. */
  nextBelow(bound: number): number {
    // A power of two uses the upper bits, which are more random.
    if ((bound & (bound - 1)) === 0) return Math.floor((this.#bits31() * bound) / 0x8000_0000);
    for (;;) {
      const bits = this.#bits31();
      const result = bits % bound;
      // Above the last whole multiple of the bound, the remainders are not equally likely.
      if (bits - result + (bound - 1) < 0x8000_0000) return result;
    }
  }
  /** A number in [0, 1), 53 bits. */
  nextDouble(): number {
    const upper = this.nextInt() >>> 6;
    return (upper * 0x800_0000 + (this.nextInt() >>> 5)) / 0x20_0000_0000_0000;
  }

  #bits31(): number {
    return this.nextInt() >>> 1;
  }
  /** seed = (seed · 0x5DEECE66D + 11) mod 2^48. */
  #step(): void {
    const low = this.#low * multiplierLow + 11;
    const high = this.#high * multiplierLow + this.#low * multiplierHigh + Math.floor(low / half);
    this.#low = low % half;
    this.#high = high % half;
  }
}

function modulo(n: number, by: number): number {
  return ((n % by) + by) % by;
}
