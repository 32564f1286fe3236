// Barriers that a task gets from the runtime itself, because no channel brings them: sources, and
// tasks whose inputs are cut.
import type { Barrier } from './channel.ts';

export class InjectedBarriers {
  #waiting: Barrier[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }
  add(barrier: Barrier): void {
    if (!this.#waiting.includes(barrier)) this.#waiting.push(barrier);
  }
  /** The task hears barriers over its channels now. */
  clear(): void {
    this.#waiting = [];
  }
  /** The barrier after `epoch`, if it waits here. Those that the task has passed count no more. */
  takeAfter(epoch: number): Barrier | undefined {
    while (this.#waiting.length > 0 && this.#waiting[0]!.epoch <= epoch) this.#waiting.shift();
    return this.#waiting[0]?.epoch === epoch + 1 ? this.#waiting.shift() : undefined;
  }
}
