// The time that one call of an operator may take: other tasks, and the messages of the thread, wait
// for it.

const budgetMillis = 5;
/**
 * Records between two looks at the clock: many, so that looking costs nothing per record; not more,
 * for the next ones may be slow.
 */
const maxStep = 512;

/** Counts records between looks at the clock. */
export class CallBudget {
  /** Records that may pass before the next look. */
  left = 1;
  #step = 1;
  #until = 0;
  #lookedAt = 0;

  start(now: number): void {
    this.#until = now + budgetMillis;
    this.#lookedAt = now;
    this.left = this.#step;
  }
  /**
   * Asked once per record, or after several that were subtracted from `left`. True: the time is
   * used up, and it stays so until the next start.
   */
  get isSpent(): boolean {
    return --this.left <= 0 && this.#look();
  }
  #look(): boolean {
    const now = performance.now();
    const spent = now - this.#lookedAt;
    this.#lookedAt = now;
    if (spent < 0.5 && this.#step < maxStep) this.#step *= 2;
    else if (spent > 1 && this.#step > 1) this.#step = Math.max(1, this.#step >> 1);
    if (now >= this.#until) return true;
    this.left = this.#step;
    return false;
  }
}
