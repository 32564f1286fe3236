// The driver gives a runtime its turns on a thread that has other things to do: it works in slices and lets the event loop in between.
import type { Runtime } from './runtime.ts';

/** Messages, sockets and timers of the thread wait at most this long. */
const sliceMillis = 10;
/** A leaving task may go on with its present call this long before it is cut off. */
const patienceMillis = 1000;

export class Driver {
  readonly #runtime: Runtime;
  #scheduled: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #leavingSince = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** There may be something to do. */
  readonly wake = (): void => {
    if (this.#stopped || this.#scheduled) return;
    this.#scheduled = setImmediate(() => this.#slice());
  };
  stop(): void {
    this.#stopped = true;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    if (this.#timer) clearTimeout(this.#timer);
  }

  #slice(): void {
    this.#scheduled = undefined;
    if (this.#timer) clearTimeout(this.#timer);
    this.#watchLeaving();
    const until = performance.now() + sliceMillis;
    let happened = true;
    while (happened && performance.now() < until && !this.#stopped) happened = this.#runtime.round(until);
    if (this.#stopped) return;
    if (happened) return this.wake();
    if (this.#scheduled) return;
    this.#park();
  }

  /** Nothing to do: until somebody wakes us, a tick is due, or a leaving task has tried our patience. */
  #park(): void {
    const runtime = this.#runtime;
    const wait = Math.min(runtime.nextTick - runtime.clock.now(), runtime.hasLeaving ? patienceMillis : Infinity);
    if (wait < Infinity) this.#timer = setTimeout(this.wake, Math.max(0, wait));
  }
  #watchLeaving(): void {
    if (!this.#runtime.hasLeaving) this.#leavingSince = 0;
    else if (this.#leavingSince === 0) this.#leavingSince = performance.now();
    else if (performance.now() - this.#leavingSince > patienceMillis) {
      this.#leavingSince = 0;
      this.#runtime.cutLeaving();
    }
  }
}
