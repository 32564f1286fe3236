// The stream of the session's micro-batches: a row per source and batch, from the first read on. It
// never ends by itself.
import type { StateWriter } from '../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../contract/source.ts';
import { SourceTime } from '../time/source-time.ts';
import type { MicroBatchLog, MicroBatchReader } from './micro-batch-log.ts';

export class MicroBatchSource implements Source {
  readonly #log: MicroBatchLog;
  #context!: SourceContext;
  #time!: SourceTime;
  #reader: MicroBatchReader | undefined;
  #emitted = 0;

  constructor(log: MicroBatchLog) {
    this.#log = log;
  }
  open(context: SourceContext): void {
    this.#context = context;
    this.#time = new SourceTime(context.output, context.clock.now());
    this.#time.partition(0);
    this.#reader = this.#log.open(() => context.wake());
  }
  poll(): 'more' | 'wait' {
    const { output, clock } = this.#context;
    for (;;) {
      if (output.full) break;
      const row = this.#reader?.next();
      if (!row) {
        this.#time.onClock(clock.now());
        if (this.#time.nextAt < Infinity) this.#context.wakeAt(this.#time.nextAt);
        return 'wait';
      }
      this.#time.record(0, row.time.getTime());
      output.emitAt(row, row.time.getTime(), 0, this.#emitted++);
    }
    this.#time.onClock(clock.now(), true);
    return 'more';
  }
  position(): string {
    return 'now';
  }
  /** Former batches are not emitted again. */
  snapshot(writer: StateWriter): void {
    writer.value({});
  }
  restore(): void {}
  status(): SourceStatus {
    const waiting = this.#context.inBatches
      ? 'the first micro-batch is not over'
      : 'there are no micro-batches: the session is continuous; configure({ mode: { microBatch: "1s" } }) changes that';
    return {
      entries: 0,
      opened: 1,
      phase: this.#emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      errors: 0,
      ...(this.#emitted === 0 && { waiting }),
    };
  }
  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }
}
