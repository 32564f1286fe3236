// When VS Code is told that the texts below the cells have changed. It closes an open tooltip then,
// so figures that move all the time are told every five seconds only; everything else at once.
export const figuresMillis = 5_000;

export interface Timer {
  now(): number;
  /** Calls back once, after so many milliseconds. */
  after(millis: number, callback: () => void): void;
}

export class StatusPace {
  readonly #tell: () => void;
  readonly #timer: Timer;
  #told: { readonly texts: string; readonly words: string; readonly at: number } | undefined;
  #latest = '';
  #isDue = false;

  constructor(tell: () => void, timer: Timer = realTimer) {
    this.#tell = tell;
    this.#timer = timer;
  }

  /** `texts`: everything that the items and their tooltips say now. */
  changed(texts: string): void {
    this.#latest = texts;
    const told = this.#told;
    if (told?.words !== wordsOf(texts)) return this.#tellNow();
    if (told.texts === texts || this.#isDue) return;
    const wait = told.at + figuresMillis - this.#timer.now();
    if (wait <= 0) return this.#tellNow();
    this.#isDue = true;
    this.#timer.after(wait, () => {
      this.#isDue = false;
      if (this.#told?.texts !== this.#latest) this.#tellNow();
    });
  }

  #tellNow(): void {
    this.#told = { texts: this.#latest, words: wordsOf(this.#latest), at: this.#timer.now() };
    this.#tell();
  }
}

/** The texts without their figures: "in 18.2 k/s" is "in #". */
function wordsOf(texts: string): string {
  return texts.replace(/\d[\d.,:]*( [kMGT])?/g, '#');
}

const realTimer: Timer = {
  now: () => performance.now(),
  after: (millis, callback) => void setTimeout(callback, millis),
};
