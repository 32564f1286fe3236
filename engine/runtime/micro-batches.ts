// Micro-batches: at every interval the sources read the records at hand, at most their share. Then
// they emit their watermarks. The batch is over when all of it has gone through the graph.
//
//   between ──the next batch is due──────────────────────────────────► reading
//   reading ──every source has its share, or the interval is over────► draining (watermarks go out)
//   draining ─nothing is on its way──────────────────────────────────► between
//
// Operators know nothing of batches. A batch decides only when sources are polled and when they
// emit watermarks. As in Spark, time stands still within a batch: which records are late depends on
// how the records are divided into batches. Batches are due at multiples of the interval. A batch
// that is still at work when the next is due delays it, and the delay counts for the estimator.
// Each source has an estimator of its own (Spark's PID). Its rate limits the records that the
// source reads in the next batch. Until there is an estimate a source reads for at most one
// interval. A source with the option `rate` reads at most rate × interval records in a batch, as
// with Spark's maxRatePerPartition.
import type { MicroBatchMode } from '../graph/plan.ts';
import type { PidSpec } from '../graph/spec.ts';
import type { Clock } from '../contract/clock.ts';
import { PidRateEstimator } from '../time/pid-rate-estimator.ts';
import type { MicroBatch } from '../api/surface.ts';
import type { MicroBatchLog } from '../connectors/micro-batch-log.ts';

/** The part of a source that a batch works with. */
export interface BatchReader {
  readonly id: string;
  readonly name: string;
  /** Steers this source; undefined: Spark's defaults. */
  readonly pid: PidSpec | undefined;
  /** The option `rate` of the source. */
  readonly mostPerSecond: number | undefined;
  /** It runs, it has readers, and it may have records at hand. */
  readonly mayRead: boolean;
  /** Records it may read in the batch that begins; Infinity for all. */
  share(records: number): void;
  /** It knows of records of its share that have not come yet. */
  readonly awaits: boolean;
  /** How many records it knows to be waiting outside. */
  readonly behind: number;
  /** All records of its share are on their way: it emits its watermarks. */
  endBatch(): void;
}
interface Steering {
  readonly pid: string;
  readonly estimator: PidRateEstimator;
  /** Records/s, of the estimator. */
  rate?: number;
  /** The part of a record that the source's own rate has left over from the batch before. */
  rest: number;
}
interface Share {
  left: number;
  read: number;
  isDone: boolean;
}

export class MicroBatches {
  readonly #clock: Clock;
  readonly #log: MicroBatchLog;
  #intervalMillis: number;
  #phase: 'between' | 'reading' | 'draining' = 'between';
  #number = 0;
  /** When the batch at work was due, or the next one is. */
  #dueAt: number;
  #beganAt = 0;
  readonly #shares = new Map<BatchReader, Share>();
  readonly #steering = new Map<string, Steering>();

  constructor(mode: MicroBatchMode, clock: Clock, log: MicroBatchLog) {
    this.#clock = clock;
    this.#log = log;
    this.#intervalMillis = mode.microBatchMillis;
    this.#dueAt = clock.now();
  }
  get intervalMillis(): number {
    return this.#intervalMillis;
  }

  /** May it be polled now? */
  isReading(reader: BatchReader): boolean {
    if (this.#phase !== 'reading') return false;
    const share = this.#shares.get(reader);
    return share !== undefined && !share.isDone;
  }
  /** Records that it may still read in this batch. */
  left(reader: BatchReader): number {
    return this.#shares.get(reader)?.left ?? 0;
  }
  /** It was polled. `isEmpty`: nothing more is at hand. */
  took(reader: BatchReader, records: number, isEmpty: boolean): void {
    const share = this.#shares.get(reader);
    if (!share) return;
    share.read += records;
    share.left -= records;
    if (share.left <= 0 || (isEmpty && !reader.awaits)) share.isDone = true;
  }

  /** When `step` has something to do, though no task has work; Infinity: never. */
  get nextAt(): number {
    if (this.#phase === 'between') return this.#dueAt;
    return this.#phase === 'reading' ? this.#beganAt + this.#intervalMillis : Infinity;
  }

  /**
   * After a round. `isQuiet`: no task did anything, and none waits in the middle of a call. True:
   * tasks may have work again.
   */
  step(readers: readonly BatchReader[], isQuiet: boolean): boolean {
    const now = this.#clock.now();
    switch (this.#phase) {
      case 'between':
        if (now < this.#dueAt) return false;
        this.#begin(readers, now);
        return true;
      case 'reading': {
        const isOver = now >= this.#beganAt + this.#intervalMillis;
        for (const [reader, share] of this.#shares) share.isDone ||= isOver || !(reader.mayRead || reader.awaits);
        if (![...this.#shares.values()].every(({ isDone }) => isDone)) return false;
        this.#phase = 'draining';
        for (const reader of this.#shares.keys()) reader.endBatch();
        return true;
      }
      case 'draining':
        if (!isQuiet) return false;
        this.#end(now);
        return true;
    }
  }

  #begin(readers: readonly BatchReader[], now: number): void {
    this.#phase = 'reading';
    this.#number++;
    this.#beganAt = now;
    this.#shares.clear();
    for (const reader of readers) {
      const steering = this.#steeringOf(reader);
      const left = Math.min(this.#estimated(steering), this.#allowed(reader, steering));
      reader.share(left);
      this.#shares.set(reader, { left, read: 0, isDone: left === 0 });
    }
  }
  #estimated({ rate }: Steering): number {
    return rate === undefined ? Infinity : Math.max(1, Math.round((rate * this.#intervalMillis) / 1000));
  }
  /** Whole records. Over many batches it is the source's rate, also far below one a batch. */
  #allowed({ mostPerSecond }: BatchReader, steering: Steering): number {
    if (mostPerSecond === undefined) return Infinity;
    const records = (mostPerSecond * this.#intervalMillis) / 1000 + steering.rest;
    steering.rest = records % 1;
    return Math.floor(records);
  }
  #end(now: number): void {
    const processingDelay = now - this.#beganAt;
    const schedulingDelay = this.#beganAt - this.#dueAt;
    const batches: MicroBatch[] = [];
    for (const [reader, { read }] of this.#shares) {
      const steering = this.#steeringOf(reader);
      const estimate = steering.estimator.compute(now, read, processingDelay, schedulingDelay);
      if (estimate !== undefined) steering.rate = estimate;
      batches.push({
        batch: this.#number,
        source: reader.name,
        time: new Date(this.#beganAt),
        records: read,
        processingDelay,
        schedulingDelay,
        rate: steering.rate ?? null,
        behind: Math.max(0, reader.behind),
      });
    }
    this.#shares.clear();
    this.#log.add(batches);
    this.#phase = 'between';
    this.#dueAt += this.#intervalMillis;
  }
  #steeringOf(reader: BatchReader): Steering {
    const pid = JSON.stringify(reader.pid ?? {});
    const known = this.#steering.get(reader.id);
    if (known?.pid === pid) return known;
    const estimator = new PidRateEstimator({ batchIntervalMs: this.#intervalMillis, ...reader.pid });
    const steering: Steering = { pid, estimator, rest: 0 };
    this.#steering.set(reader.id, steering);
    return steering;
  }
}
