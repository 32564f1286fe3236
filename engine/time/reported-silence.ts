// The silence of partitions as their broker reports it. The reader of a partition knows when it has
// read everything that is there; the time since the last record does not say so. A partition that
// is read in chunks, held back by a rate or a quota, or out of reach gives no such report.
//
//                report                    no report for 2 s, or no answer
//   not silent ──────────► silent, grows ─────────────────────────────────► unknown
//      ▲                     │      ▲                                          │ │
//      └── it has something ─┘      └──── report: goes on where it was ────────┘ │
//      └─────────────────────────────── it has something ────────────────────────┘
//
// Silence grows from one report to the next. A long gap between two reports is no proof, because
// the reader may have been unable to ask, so only its first second counts. A report after a gap
// shows that nothing came in between, so the silence before the gap counts on.

const countedBetweenReports = 1_000;
/** A partition with nothing to read answers every half second. */
const lastsMillis = 2_000;

export class ReportedSilence {
  readonly #reportedAt: (number | undefined)[] = [];
  readonly #millis: number[] = [];
  /** The last time `old` looked at all partitions, and the oldest report that it found. */
  #lookedAt = -Infinity;
  #oldestAt = -Infinity;

  /**
   * The partition has answered, is read to its end and had nothing. All of its records are emitted.
   */
  report(partition: number, now: number): void {
    const before = this.#reportedAt[partition];
    const more = before === undefined ? 0 : Math.max(0, Math.min(now - before, countedBetweenReports));
    this.#millis[partition] = (this.#millis[partition] ?? 0) + more;
    this.#reportedAt[partition] = now;
  }
  /** It has something at its position, or it is read no more. */
  end(partition: number): void {
    this.#reportedAt[partition] = undefined;
    this.#millis[partition] = 0;
  }
  /** It gives no answer, so it may have something. */
  pause(partition: number): void {
    this.#reportedAt[partition] = undefined;
  }
  /** The partitions whose last report is too old, or from before the clock was set back. */
  old(now: number): number[] {
    if (now >= this.#lookedAt && now <= this.#oldestAt + lastsMillis) return [];
    this.#lookedAt = now;
    this.#oldestAt = this.#reportedAt.reduce((oldest: number, at = now) => Math.min(oldest, at), now);
    return this.#reportedAt.flatMap((at, partition) =>
      at !== undefined && Math.abs(now - at) > lastsMillis ? partition : [],
    );
  }
  /** 0 while nothing is known. */
  millis(partition: number): number {
    return this.#reportedAt[partition] === undefined ? 0 : this.#millis[partition]!;
  }
}
