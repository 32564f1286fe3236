// The failures of a job: each is reported once. The first one may end the job.
import type { JobFailure } from './job-failure.ts';

/** `cell`: absent when the failure belongs to none. */
export type ReportFailure = (cell: string | undefined, error: JobFailure) => void;

const mostUncaught = 100;

/** The errors of a job. Each is printed once. */
export class Failures {
  /** A cell has failed, or a row was left out. */
  any = false;
  /** A cell has failed. */
  hasFailed = false;
  /** Of all that are reported. */
  readonly codes: string[] = [];
  /** Resolves when the job ends because of a failure. */
  readonly ended: Promise<void>;
  readonly #report: ReportFailure;
  readonly #end: () => void;
  readonly #displays = new Set<string>();
  readonly #uncaught = new Set<string>();
  #isOver = false;

  constructor(report: ReportFailure) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#report = report;
    this.ended = promise;
    this.#end = resolve;
  }

  /** A cell has failed. */
  add(cell: string | undefined, error: JobFailure): void {
    // What fails while the job ends depends on the moment.
    if (this.#isOver) return;
    this.any = true;
    this.hasFailed = true;
    this.codes.push(error.code);
    this.#report(cell, error);
  }
  /**
   * A row of a display was left out, and the job goes on. Only the first of each display is
   * printed.
   */
  leftOut(display: string, cell: string, error: JobFailure): void {
    this.any = true;
    if (this.#displays.has(display)) return;
    this.#displays.add(display);
    this.#report(cell, error);
  }
  /** A timer may fail again and again. Each error of a cell is printed once. */
  uncaught(cell: string, error: JobFailure): void {
    const text = `${cell}: ${error.message}`;
    if (this.#uncaught.has(text) || this.#uncaught.size >= mostUncaught) return;
    this.#uncaught.add(text);
    this.add(cell, error);
  }
  end(): void {
    this.#isOver = true;
    this.#end();
  }
}
