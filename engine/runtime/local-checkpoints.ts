// Checkpoints of a job that keeps nothing outside its process. It is never restored, so a snapshot
// that is complete commits at once. Only sinks with
// transactions and offsets of a group need them.
import { needsCheckpoints } from '../graph/kinds.ts';
import type { Plan } from '../graph/plan.ts';
import { type LongTimer, startTimer } from './long-timer.ts';
import type { Runtime } from './runtime.ts';

/** Rows are visible after so long at most, if the sink is quick. */
export const localCheckpointMillis = 1000;

export class LocalCheckpoints {
  readonly #runtime: Runtime;
  readonly #onEnd: () => void;
  #last = 0;
  #isUnderWay = false;
  #hasEnded = false;
  #timer: LongTimer | undefined;

  /** `onEnd`: all inputs have ended, and there is nothing to commit. */
  constructor(runtime: Runtime, plan: Plan, onEnd: () => void) {
    this.#runtime = runtime;
    this.#onEnd = onEnd;
    if (plan.nodes.some(needsCheckpoints)) this.#wait();
  }
  #wait(): void {
    this.#timer = startTimer(() => this.#take(), localCheckpointMillis, { keepsAlive: false });
  }
  #take(): void {
    this.#timer?.cancel();
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    const checkpoint = ++this.#last;
    const hadEnded = this.#hasEnded;
    this.#runtime.snapshot(
      ({ declined }) => {
        this.#isUnderWay = false;
        if (declined.length === 0) this.#runtime.complete(checkpoint);
        else this.#runtime.aborted(checkpoint);
        // The end came behind this barrier: its rows need another one.
        if (this.#hasEnded && !hadEnded) this.#take();
        else if (!this.#hasEnded) this.#wait();
      },
      'changes',
      { checkpoint },
    );
  }
  /** All inputs have ended: the last checkpoint commits the last rows. */
  end(): void {
    this.#hasEnded = true;
    if (!this.#runtime.hasUncommitted) return this.#onEnd();
    this.#take();
  }
  stop(): void {
    this.#timer?.cancel();
  }
}
