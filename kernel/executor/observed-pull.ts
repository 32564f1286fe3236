// A pull whose rows an observer sees too. Rows go to the observer in bundles, and the pull waits
// when the observer is behind.
const bundle = 256;
/** Rows that may have gone to the observer without its credit. */
const ahead = 2048;
const gatherMillis = 20;

export class ObservedPull implements AsyncIterableIterator<unknown> {
  readonly #pull: AsyncIterableIterator<unknown>;
  readonly #send: (rows: readonly unknown[]) => void;
  /** True when the observer cannot be sent the row. The cell gets it. */
  readonly #isRefused: (row: unknown) => boolean;
  #rows: unknown[] = [];
  #untaken = 0;
  #goOn: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    pull: AsyncIterableIterator<unknown>,
    send: (rows: readonly unknown[]) => void,
    isRefused: (row: unknown) => boolean,
  ) {
    this.#pull = pull;
    this.#send = send;
    this.#isRefused = isRefused;
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.#untaken >= ahead) await new Promise<void>((resolve) => (this.#goOn = resolve));
    try {
      const result = await this.#pull.next();
      if (result.done) this.#flush();
      else this.#add(result.value);
      return result;
    } catch (error) {
      this.#flush();
      throw error;
    }
  }
  async return(): Promise<IteratorResult<unknown>> {
    this.#flush();
    return (await this.#pull.return?.()) ?? { done: true, value: undefined };
  }
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The observer has taken so many rows. */
  taken(rows: number): void {
    this.#untaken -= rows;
    this.#goOn?.();
  }

  #add(row: unknown): void {
    if (this.#isRefused(row)) return;
    this.#untaken++;
    if (this.#rows.push(row) >= bundle) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), gatherMillis);
  }
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows.length > 0) this.#send(this.#rows.splice(0));
  }
}
