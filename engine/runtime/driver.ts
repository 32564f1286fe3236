// The driver runs the rounds of a runtime on a thread that has other things to do. It works for a
// few milliseconds, then the event loop has its turn.
import { type LongTimer, startTimer } from './long-timer.ts';
import type { Runtime } from './runtime.ts';

/** Rounds go on this long. Messages, sockets and timers of the thread wait for them. */
const stretchMillis = 10;
/** Drain timeout: a leaving task may go on with its present call this long before it is cut off. */
const drainTimeoutMillis = 1000;

export class Driver {
  readonly #runtime: Runtime;
  #scheduled: NodeJS.Immediate | undefined;
  #timer: LongTimer | undefined;
  #stopped = false;
  #leavingSince = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** There may be something to do. */
  readonly wake = (): void => {
    if (this.#stopped || this.#scheduled) return;
    this.#scheduled = setImmediate(() => this.#work());
  };
  stop(): void {
    this.#stopped = true;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#timer?.cancel();
  }

  #work(): void {
    this.#scheduled = undefined;
    this.#timer?.cancel();
    this.#watchLeaving();
    const until = performance.now() + stretchMillis;
    let happened = true;
    while (happened && performance.now() < until && !this.#stopped) happened = this.#runtime.round(until);
    if (this.#stopped) return;
    if (happened) return this.wake();
    if (this.#scheduled) return;
    this.#park();
  }

  /** There is nothing to do until a wake, the next tick, or the drain timeout of a leaving task. */
  #park(): void {
    const runtime = this.#runtime;
    const wait = Math.min(runtime.nextTick - runtime.clock.now(), runtime.hasLeaving ? drainTimeoutMillis : Infinity);
    this.#timer = startTimer(this.wake, wait);
  }
  #watchLeaving(): void {
    if (!this.#runtime.hasLeaving) this.#leavingSince = 0;
    else if (this.#leavingSince === 0) this.#leavingSince = performance.now();
    else if (performance.now() - this.#leavingSince > drainTimeoutMillis) {
      this.#leavingSince = 0;
      this.#runtime.cutLeaving();
    }
  }
}
