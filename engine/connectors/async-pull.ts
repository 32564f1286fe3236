// An async iterable, asked for its elements a few ahead of who takes them: what it gives between two polls is at hand at the next one.
import { SluiceError } from '../errors/error.ts';

/** Elements that wait to be taken; then the iterable is not asked for more. */
const most = 64;

export class AsyncPull {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #wake: () => void;
  readonly #name: string;
  readonly #waiting: unknown[] = [];
  #asked = false;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #failure: { readonly error: unknown } | undefined;

  /** `wake` is called when something has come to an empty hand. */
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
    // It may be waiting for something that never comes, and what it throws at its end concerns nobody any more.
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  /** One question at a time, as iterators want it. */
  #ask(): void {
    if (this.#asked || this.#state !== 'open' || this.#waiting.length >= most) return;
    this.#asked = true;
    // An iterator written by hand may answer without a promise, or throw at once.
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
