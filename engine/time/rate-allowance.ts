// The option `rate` of a source: how many records may go now, and when the next one may. In
// micro-batches the batch limits the records instead (engine/runtime/micro-batches.ts), and
// generate() paces its records by their time.

/** At a high rate, records wait so long that several go together. */
const gatherMillis = 10;

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
  /** How many records may go now. */
  left(now: number): number {
    const passed = Math.max(0, now - (this.#at ?? now));
    this.#available = Math.min(this.#most, this.#available + passed * this.#perMilli);
    this.#at = now;
    return Math.floor(this.#available);
  }
  /** At most as many as are left. */
  spend(records: number): void {
    this.#available -= records;
  }
  take(now: number): boolean {
    if (this.left(now) < 1) return false;
    this.spend(1);
    return true;
  }
  /** When the next record may go. */
  next(now: number): number {
    const gathered = this.#perMilli * gatherMillis >= 1 ? gatherMillis : 1;
    return now + Math.max(gathered, Math.ceil((1 - this.#available) / this.#perMilli));
  }
}
