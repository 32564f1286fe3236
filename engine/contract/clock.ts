// Where time and chance come from: nothing on the record path looks at the wall clock by itself.

export interface Clock {
  /** Processing time in epoch milliseconds. */
  now(): number;
}
export const wallClock: Clock = { now: () => Date.now() };

/** Moves only when told; starts at 0. For the test kit. */
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
