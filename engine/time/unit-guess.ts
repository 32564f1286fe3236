// Whether the numbers of a source are epoch milliseconds. The first ones are looked at: numbers
// that would all be in early 1970, or after the year 5138, probably have another unit.

export class UnitGuess {
  /** How many values are looked at. */
  static readonly values = 100;
  readonly #source: string;
  #seen = 0;
  #seconds = 0;
  #small = 0;
  #isOnlyNumbers = true;

  constructor(source: string) {
    this.#source = source;
  }
  look(value: number): void {
    if (this.#seen === UnitGuess.values) return;
    this.#seen++;
    if (value >= 1e9 && value <= 1e11) this.#seconds++;
    else if (value > 1e14) this.#small++;
  }

  /** The times of a run, from the index `from` up to `to`. */
  lookAt(times: ArrayLike<number>, from: number, to: number): void {
    for (let i = from; i < to && this.#seen < UnitGuess.values; i++) this.look(times[i]!);
  }
  /** Texts and dates have no unit. */
  sawNoNumber(): void {
    this.#isOnlyNumbers = false;
  }

  /** A warning, once enough values were seen, or when the source has ended. */
  note(hasEnded: boolean): { readonly note?: string } {
    const seen = this.#seen;
    if (seen === 0 || !this.#isOnlyNumbers || (seen < UnitGuess.values && !hasEnded)) return {};
    const first = `The ${seen === 1 ? 'only timestamp' : `first ${seen} timestamps`} of "${this.#source}" ${seen === 1 ? 'lies' : 'lie'}`;
    if (this.#seconds === seen)
      return {
        note: `${first} between 10⁹ and 10¹¹, so they look like seconds. Give unit: 's', or 'ms' if it is right.`,
      };
    if (this.#small === seen)
      return {
        note: `${first} above 10¹⁴, so they look like microseconds or nanoseconds. Give unit: 'us' or 'ns', or 'ms' if it is right.`,
      };
    return {};
  }
}
