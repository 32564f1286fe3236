// The executor of this moment: commands go to it, and its events and its end come from it. Those of
// a former executor are ignored.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutorCommand, ExecutorEvent, ExecutorPort, Whereabouts } from '../executor/executor-protocol.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';

/** An executor that ends by itself is heard at least this often. */
const endMillis = 1000;

export interface ExecutorListener {
  event(event: ExecutorEvent): void;
  /** `whereabouts`: the call that did not return. */
  ended(reason: string, whereabouts: Whereabouts | undefined, memory: MemoryEnd | undefined): void;
}

export class ExecutorLink {
  readonly #start: () => ExecutorPort;
  readonly #listener: ExecutorListener;
  #executor: ExecutorPort | undefined;
  /**
   * Of an executor that is being terminated: read before its end, because its shared memory may
   * change.
   */
  #stuckAt: Whereabouts | undefined;
  #isClosing = false;

  constructor(start: () => ExecutorPort, listener: ExecutorListener) {
    this.#start = start;
    this.#listener = listener;
  }

  start(): void {
    const executor = this.#start();
    this.#executor = executor;
    executor.onEvent((event) => {
      if (this.#executor === executor) this.#listener.event(event);
    });
    executor.onEnd((reason, memory) => {
      if (this.#executor !== executor || this.#isClosing) return;
      const whereabouts = this.#stuckAt ?? executor.whereabouts();
      this.#executor = undefined;
      this.#stuckAt = undefined;
      this.#listener.ended(reason, whereabouts, memory);
    });
  }

  post(command: ExecutorCommand): void {
    this.#executor?.post(command);
  }
  whereabouts(): Whereabouts | undefined {
    return this.#executor?.whereabouts();
  }
  isUnanswered(): boolean {
    return this.#executor?.isUnanswered?.() === true;
  }
  /** The executor does not answer. Its end is reported like any other. */
  terminate(): void {
    this.#stuckAt = this.whereabouts();
    void this.#executor?.terminate();
  }

  /**
   * Lets the executor send its last events and end by itself. One that is stuck in user code is
   * terminated; the result is the call that did not return.
   */
  async close(): Promise<Whereabouts | undefined> {
    this.#isClosing = true;
    const executor = this.#executor;
    if (!executor) return undefined;
    let isHeard = true;
    executor.onEvent(() => (isHeard = true));
    const ended = new Promise<boolean>((resolve) => executor.onEnd(() => resolve(false)));
    executor.post({ kind: 'close' });
    let stuckAt: Whereabouts | undefined;
    // Its sinks may wait for acknowledgements.
    while (isHeard) {
      isHeard = false;
      stuckAt = undefined;
      if (!(await Promise.race([ended, sleep(endMillis, true, { ref: false })]))) break;
      stuckAt = executor.whereabouts();
    }
    this.#executor = undefined;
    await executor.terminate();
    return stuckAt;
  }
}
