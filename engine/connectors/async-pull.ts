// Reads an async iterable a few elements ahead of the source, so that a poll finds the elements
// that arrived since the last one.
import { SluiceError } from '../errors/error.ts';

/** The most elements that wait. With so many, no further element is requested. */
const most = 64;

export class AsyncPull {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #wake: () => void;
  readonly #name: string;
  readonly #waiting: unknown[] = [];
  #asked = false;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #failure: { readonly error: unknown } | undefined;

  /** Calls `wake` when an element arrives and none was waiting. */
  constructor(iterable: AsyncIterable<unknown>, wake: () => void, name: string) {
    this.#iterator = iterable[Symbol.asyncIterator]();
    this.#wake = wake;
    this.#name = name;
    this.#ask();
  }

  next(): { readonly value: unknown } | 'pending' | 'end' {
    if (this.#waiting.length > 0) {
      const value = this.#waiting.shift();
      this.#ask();
      return { value };
    }
    if (this.#failure) throw this.#failure.error;
    return this.#state === 'open' ? 'pending' : 'end';
  }

  ahead(): readonly unknown[] {
    return [...this.#waiting];
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    // The iterator may wait for an element that never arrives, so its end is not awaited. An error
    // at its end has no reader any more.
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  /** One request at a time, as the protocol of iterators requires. */
  #ask(): void {
    if (this.#asked || this.#state !== 'open' || this.#waiting.length >= most) return;
    this.#asked = true;
    // A hand-written iterator may return a value instead of a promise, or throw at once.
    void new Promise<IteratorResult<unknown>>((resolve) => resolve(this.#iterator.next())).then(
      (result) => this.#answer(result),
      (error: unknown) => this.#fail(error),
    );
  }

  #answer(result: IteratorResult<unknown>): void {
    this.#asked = false;
    if (this.#state !== 'open') return;
    if (result === null || typeof result !== 'object') {
      this.#fail(
        new SluiceError(
          'not-iterable',
          `The async iterator of "${this.#name}" gave ${String(result)} instead of {value, done}.`,
        ),
      );
      return;
    }
    if (result.done === true) this.#state = 'ended';
    else this.#waiting.push(result.value);
    if (result.done === true || this.#waiting.length === 1) this.#wake();
    this.#ask();
  }
  #fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#failure = { error };
    this.#wake();
  }
}
