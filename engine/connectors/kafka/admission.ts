// The one point where a record of a topic enters the dataflow: after it was read and decoded. Here
// it is counted, event time sees it, and it is emitted with its partition and offset. A record that
// could not be decoded is counted too, and goes to `errors`. The counts are part of a snapshot.
import type { SourceOutput } from '../../contract/source.ts';
import { maxTimestamp } from '../../time/event-time.ts';
import type { SourceTime } from '../../time/source-time.ts';
import type { SplitState } from './split.ts';

export interface AdmissionState {
  readonly emitted: number;
  readonly errors: number;
  readonly firstProblem?: string;
}

export class Admission {
  readonly #output: SourceOutput;
  readonly #time: SourceTime;
  /** The name of the source, for messages. */
  readonly #source: string;
  /** The time of arrival of the records of this poll, by the source's clock. */
  arrival = 0;
  emitted = 0;
  errors = 0;
  /**
   * Event time of the first record since the source began, if it may have older ones. Absent after
   * a restore.
   */
  firstTime: number | undefined;
  /** The problem of the first rejected record, and of the last one. */
  firstProblem: string | undefined;
  lastProblem: string | undefined;

  constructor(output: SourceOutput, time: SourceTime, source: string) {
    this.#output = output;
    this.#time = time;
    this.#source = source;
  }

  /** The number of the next record. */
  get sequence(): number {
    return this.emitted + this.errors;
  }
  admit(state: SplitState, offset: number, value: unknown, timestamp: number): void {
    // Behind the first offset of a topic lie no older records.
    if (this.emitted++ === 0 && offset > 0) this.firstTime = timestamp;
    if (state.time !== undefined) this.#time.record(state.time, timestamp);
    this.#output.emitAt(value, timestamp, state.split.partition, offset);
  }

  /** `problem`: the rest of a sentence that begins with "orders[3]@1842". */
  reject({ split, name }: SplitState, offset: number, raw: string, timestamp: number, problem: string): void {
    this.errors++;
    this.lastProblem = `${name}@${offset}${problem}.`;
    this.firstProblem ??= this.lastProblem;
    if (!this.#output.hasReader('errors')) return;
    const share = `${this.errors.toLocaleString('en-US')} of ${this.sequence.toLocaleString('en-US')} so far`;
    const error = `${this.lastProblem} It went to ${this.#source}.errors; ${share}.`;
    this.#output.emitTo(
      'errors',
      { topic: split.topic, partition: split.partition, offset: String(offset), raw, error },
      timestamp >= 0 && timestamp <= maxTimestamp ? timestamp : this.arrival,
    );
  }

  snapshot(): AdmissionState {
    const { emitted, errors, firstProblem } = this;
    return { emitted, errors, ...(firstProblem !== undefined && { firstProblem }) };
  }
  restore({ emitted, errors, firstProblem }: AdmissionState): void {
    this.emitted = emitted;
    this.errors = errors;
    this.firstProblem = firstProblem;
  }
}
