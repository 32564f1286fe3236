// A source's ceiling: how many records may go now, and when the next one may.

/** `rate` records a second. An allowance that is not used within a tenth of a second expires. */
export class RateAllowance {
  readonly #perMilli: number;
  readonly #most: number;
  #available = 1;
  #at: number | undefined;

  constructor(perSecond: number) {
    this.#perMilli = perSecond / 1000;
    this.#most = Math.max(1, perSecond / 10);
  }
  take(now: number): boolean {
    this.#available = Math.min(this.#most, this.#available + (now - (this.#at ?? now)) * this.#perMilli);
    this.#at = now;
    if (this.#available < 1) return false;
    this.#available--;
    return true;
  }
  /** When the next record may go. */
  next(now: number): number {
    return now + Math.max(1, Math.ceil((1 - this.#available) / this.#perMilli));
  }
}
