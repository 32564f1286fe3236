// After a restore: whether the sources have read again what they had read once. A change of the
// graph waits for it.
import { hasRead, type ReadBySource } from '../../engine/runtime/source-progress.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';

const lookMillis = 10;

export class CatchingUp {
  readonly #runtime: Runtime;
  readonly #caughtUp: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(runtime: Runtime, caughtUp: () => void) {
    this.#runtime = runtime;
    this.#caughtUp = caughtUp;
  }
  /** From now on, until all of it is read. */
  waitFor(read: ReadBySource): void {
    this.close();
    this.#timer = setInterval(() => {
      if (!hasRead(this.#runtime.tasks, read)) return;
      this.close();
      this.#caughtUp();
    }, lookMillis);
  }
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
