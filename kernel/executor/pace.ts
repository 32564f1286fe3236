// How fast a time moves, from its values in the last half minute: event time of a live source moves
// with the clock, of a replayed file much faster, and of a silent source not at all.
const rememberedMillis = 30_000;
/** Below this the pace would be a guess. */
const leastMillis = 1_000;
/** Two values that are kept are at least this far apart. */
const stepMillis = 500;

export class Pace {
  #marks: { readonly now: number; readonly time: number }[] = [];
  #last: { readonly now: number; readonly time: number } | undefined;

  /** `now` is in milliseconds of a clock that never goes back. An infinite time is not known. */
  observe(now: number, time: number): void {
    if (!Number.isFinite(time)) return;
    // The time of another source, or of a source that begins again.
    if (this.#last && time < this.#last.time) this.#marks = [];
    this.#last = { now, time };
    const newest = this.#marks.at(-1);
    if (!newest || now - newest.now >= stepMillis) this.#marks.push(this.#last);
    while (this.#marks.length > 1 && now - this.#marks[0]!.now > rememberedMillis) this.#marks.shift();
  }

  /** How long until the time is `end`; undefined: not known, or the time stands still. */
  millisTo(end: number): number | undefined {
    const first = this.#marks[0];
    const last = this.#last;
    if (!first || !last || last.now - first.now < leastMillis || last.time <= first.time) return undefined;
    return Math.max(0, ((end - last.time) * (last.now - first.now)) / (last.time - first.time));
  }
}
