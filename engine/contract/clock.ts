// The clock of the record path. Operators and sources read time here, never from the wall clock.

export interface Clock {
  /** Processing time in epoch milliseconds. */
  now(): number;
}
export const wallClock: Clock = { now: () => Date.now() };

/**
 * Processing time that never goes back. When the wall clock is set back, or stands before the time
 * of a state that is restored, time goes on from where it was: nothing lives longer, and no timer
 * waits for the wall clock to catch up. The difference stays until the process ends.
 */
export class ForwardClock implements Clock {
  readonly #wall: Clock;
  #ahead = 0;
  #last = -Infinity;

  constructor(wall: Clock = wallClock) {
    this.#wall = wall;
  }
  now(): number {
    const time = this.#wall.now() + this.#ahead;
    if (time < this.#last) this.#ahead += this.#last - time;
    else this.#last = time;
    return this.#last;
  }
  /** A state of this time goes on. Epoch milliseconds. */
  goOnFrom(time: number): void {
    this.#last = Math.max(this.#last, time);
  }
}

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
