// The part of a source in micro-batches: whether it may be polled now, and how many records it may
// read.
import type { Source } from '../contract/source.ts';
import { batchRateOf, kinds } from '../graph/kinds.ts';
import type { PlanNode } from '../graph/plan.ts';
import type { PidSpec } from '../graph/spec.ts';
import type { Collector } from './collector.ts';
import type { BatchReader, MicroBatches } from './micro-batches.ts';

/** What the share needs of the task that reads the source. */
export interface SharingTask {
  readonly isRunning: boolean;
  readonly output: Collector;
  /** Of the runtime; undefined: sources are read continuously. */
  readonly batches: MicroBatches | undefined;
  watermark: number;
  now(): number;
  /** Runs code of the source. */
  guard(run: () => void): void;
}

export class BatchShare implements BatchReader {
  readonly id: string;
  readonly name: string;
  readonly pid: PidSpec | undefined;
  readonly mostPerSecond: number | undefined;
  /** False: the source has nothing at hand until it wakes its task. */
  mayPoll = true;
  readonly #source: Source;
  readonly #task: SharingTask;
  /** The stream of the batches themselves is not read in batches. */
  readonly #isInBatches: boolean;

  constructor(node: PlanNode, source: Source, task: SharingTask) {
    this.id = node.id;
    this.name = node.name;
    const rate = batchRateOf(node);
    this.pid = typeof rate === 'object' ? rate.pid : undefined;
    this.mostPerSecond = typeof rate === 'number' ? rate : undefined;
    this.#source = source;
    this.#task = task;
    this.#isInBatches = !kinds[node.kind].ignoresMicroBatches;
  }

  /** undefined: it is read continuously. */
  get batches(): MicroBatches | undefined {
    return this.#isInBatches ? this.#task.batches : undefined;
  }
  get isRead(): boolean {
    return this.#task.isRunning && this.batches !== undefined;
  }
  /** It may be polled now, as far as the batch at work allows. */
  get isItsTurn(): boolean {
    return this.batches?.isReading(this) ?? true;
  }
  get #hasReaders(): boolean {
    return this.#task.isRunning && this.#task.output.hasReaders;
  }
  get mayRead(): boolean {
    return this.mayPoll && this.#hasReaders;
  }
  get awaits(): boolean {
    return this.#hasReaders && (this.#source.awaits?.() ?? false);
  }
  get behind(): number {
    return this.#hasReaders ? (this.#source.behind?.() ?? 0) : 0;
  }
  share(records: number): void {
    this.mayPoll = true;
    this.#task.output.holdsTime = true;
    this.#source.share?.(records);
  }
  endBatch(): void {
    this.#task.output.holdsTime = false;
    if (!this.#task.isRunning) return;
    this.#task.guard(() => this.#source.endBatch?.(this.#task.now()));
    this.#task.watermark = this.#task.output.lastWatermark;
  }
}
