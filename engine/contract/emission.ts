// Emits the rows of an iterable one by one. An endless generator can be interrupted after any row.
import { SluiceError } from '../errors/error.ts';
import { described } from '../values/kind.ts';
import type { Output } from './operator.ts';

/** Makes each row when it emits it. It needs no iterator. */
export abstract class RowLoop {
  /** Emits until nothing is left (true) or the output is full. */
  abstract drain(output: Output, timestamp: number): boolean;
}

export class Emission {
  #loop: RowLoop | undefined;
  #array: readonly unknown[] | undefined;
  #index = 0;
  #iterator: Iterator<unknown> | undefined;
  #timestamp = 0;

  /** True while rows may be left. The end of an iterator is known only after the next step. */
  get isOpen(): boolean {
    return this.#array !== undefined || this.#iterator !== undefined || this.#loop !== undefined;
  }
  /** `what` names the function that returned `rows`, for the error: "flatMap of words". */
  start(rows: unknown, timestamp: number, what: string): void {
    this.#timestamp = timestamp;
    if (rows instanceof RowLoop) {
      this.#loop = rows;
      return;
    }
    if (Array.isArray(rows)) {
      this.#array = rows.length > 0 ? rows : undefined;
      this.#index = 0;
      return;
    }
    if (rows === undefined || rows === null || typeof (rows as Iterable<unknown>)[Symbol.iterator] !== 'function')
      throw new SluiceError(
        'not-iterable',
        `${what} gave ${described(rows)}. It must give an iterable: return an array, or make it a generator (function*).`,
      );
    this.#iterator = (rows as Iterable<unknown>)[Symbol.iterator]();
  }
  /** Emits until nothing is left (true) or the output is full. */
  drain(output: Output): boolean {
    const timestamp = this.#timestamp;
    const loop = this.#loop;
    if (loop) {
      if (!loop.drain(output, timestamp)) return false;
      this.#loop = undefined;
      return true;
    }
    const array = this.#array;
    if (array) {
      while (this.#index < array.length) {
        output.emit(array[this.#index++], timestamp);
        if (this.#index < array.length && output.full) return false;
      }
      this.#array = undefined;
      return true;
    }
    const iterator = this.#iterator;
    if (!iterator) return true;
    for (;;) {
      const step = this.#step(iterator);
      if (step.done) {
        this.#iterator = undefined;
        return true;
      }
      output.emit(step.value, timestamp);
      if (output.full) return false;
    }
  }
  /** Drops the remaining rows and closes the iterator. */
  close(): void {
    const iterator = this.#iterator;
    this.#loop = undefined;
    this.#array = undefined;
    this.#iterator = undefined;
    iterator?.return?.();
  }

  #step(iterator: Iterator<unknown>): IteratorResult<unknown> {
    try {
      return iterator.next();
    } catch (error) {
      this.#iterator = undefined;
      throw error;
    }
  }
}
