// The clock of the record path. Operators and sources read time here, never from the wall clock.

export interface Clock {
  /** Processing time in epoch milliseconds. */
  now(): number;
}
export const wallClock: Clock = { now: () => Date.now() };

/** For the test kit: a clock that starts at 0 and moves only by `advanceTo`. */
export class ManualClock implements Clock {
  #now: number;
  constructor(start = 0) {
    this.#now = start;
  }
  now(): number {
    return this.#now;
  }
  advanceTo(millis: number): void {
    if (millis < this.#now)
      throw new RangeError(`Processing time does not go back: it is ${this.#now}, not ${millis}.`);
    this.#now = millis;
  }
}
