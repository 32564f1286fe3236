// The silence of partitions as their broker reports it. The reader of a partition knows when it has
// read everything that is there; the time since the last record does not say so. A partition that
// is read in chunks, held back by a rate or a quota, or out of reach gives no such report.
//
//   record ─► not silent ── report ─► silence begins ── report ─► silence grows ─► …
//
// Silence grows from one report to the next. A long gap between two reports is no proof, because
// the reader may have been unable to ask, so only its first second counts.

const countedBetweenReports = 1_000;

export class ReportedSilence {
  readonly #reportedAt: (number | undefined)[] = [];
  readonly #millis: number[] = [];

  /**
   * The partition has answered, is read to its end and had nothing. All of its records are emitted.
   */
  report(partition: number, now: number): void {
    const before = this.#reportedAt[partition];
    if (before !== undefined)
      this.#millis[partition] = this.millis(partition) + Math.max(0, Math.min(now - before, countedBetweenReports));
    this.#reportedAt[partition] = now;
  }
  /** It had a record. */
  end(partition: number): void {
    this.#reportedAt[partition] = undefined;
    this.#millis[partition] = 0;
  }
  millis(partition: number): number {
    return this.#millis[partition] ?? 0;
  }
}
