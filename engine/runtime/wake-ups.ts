// When a task goes on by itself: it was woken, its time has come, or the answer that its call waits
// for is there.
//
//   at work ───────a call makes no progress, though there is room─► waits outside
//   waits outside ─it is woken, or its time has come──────────────► at work
//
// A time that comes while a call waits outside repeats the call first; the tick follows when the
// call is done.

export class WakeUps {
  /** Time of the next tick, by the runtime's clock; Infinity for none. */
  tickAt = Infinity;
  /** The call waits for an answer from outside, until a wake. */
  waitsOutside = false;
  isWoken = false;
  /** A tick came due in the middle of a call. */
  #owesTick = false;

  wake(): void {
    this.isWoken = true;
    this.waitsOutside = false;
  }
  /** The earliest time that was asked for stands. True: this is the earliest. */
  wakeAt(millis: number): boolean {
    if (millis >= this.tickAt) return false;
    this.tickAt = millis;
    return true;
  }
  /**
   * A call that waits outside is repeated, though nothing has come: what it waits for may be
   * another now.
   */
  hurry(): void {
    if (this.waitsOutside) this.isWoken = true;
    this.waitsOutside = false;
  }
  /** The call has made no progress. True: a wake came in the meantime, so it goes on at once. */
  wait(): boolean {
    this.waitsOutside = !this.isWoken;
    this.isWoken = false;
    return !this.waitsOutside;
  }
  /** A wake that came during a poll; it is used up. */
  takeWake(): boolean {
    const { isWoken } = this;
    this.isWoken = false;
    return isWoken;
  }
  /**
   * An unfinished call is about to be repeated: if its time has come, it does not wait any more.
   */
  endWaitAt(now: number): void {
    if (!this.waitsOutside || now < this.tickAt) return;
    this.tickAt = Infinity;
    this.#owesTick = true;
    this.waitsOutside = false;
  }
  isTickDue(now: number): boolean {
    return this.isWoken || this.#owesTick || now >= this.tickAt;
  }
  takeTick(now: number): void {
    this.isWoken = false;
    this.#owesTick = false;
    if (now >= this.tickAt) this.tickAt = Infinity;
  }
}
