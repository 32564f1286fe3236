// assignTimestamps with the user's watermark generator. `onElement` runs after each element is
// emitted. `onPeriodic`, if there is one, runs every 200 ms of processing time.
//
// As in Flink, the input's watermarks are dropped, except +Infinity, and its idleness is ignored. A
// watermark that is not above the last one is ignored, so time never decreases. A generator is not
// part of a snapshot: after a restore it starts anew, and its watermarks count as soon as they are
// above the last one before the restore. Watermarks of `onPeriodic` depend on the pace of reading,
// so a replay may find other records late.
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { FunctionRef } from '../graph/spec.ts';
import type { WatermarkGenerator } from '../api/surface.ts';
import { freezeElements } from '../state/freeze.ts';
import { described } from '../values/kind.ts';
import { compileEventTimes, type EventTime } from '../time/event-time.ts';
import { emitEveryMillis } from '../time/bounded-out-of-orderness.ts';
import { noEventTime } from './assign-timestamps.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus } from '../contract/operator.ts';

export class GeneratedWatermarks implements Operator {
  readonly generatesWatermarks = true;
  at = 0;
  working: string | undefined;
  readonly #eventTime: EventTime;
  readonly #generator: WatermarkGenerator<unknown>;
  #context!: OperatorContext;

  constructor(node: NodeOf<'assignTimestamps'>, generator: FunctionRef, functions: FunctionTable) {
    this.#eventTime = compileEventTimes(node.parameters.timestamp, functions, node.uid);
    this.#generator = ownCopy(functions.get(generator));
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#wakeInTime();
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const element = batch.values[i];
      const time = this.#eventTime.of(element);
      if (Number.isNaN(time)) throw noEventTime(this.#eventTime);
      output.emit(element, time);
      this.#emitWatermark('onElement', this.#generator.onElement(element, time));
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  tick(now: number): boolean {
    if (now < this.#nextAt) return true;
    this.working = 'onPeriodic';
    this.#emitWatermark('onPeriodic', this.#generator.onPeriodic!());
    this.working = undefined;
    this.#wakeInTime();
    return true;
  }
  status(): OperatorStatus {
    return { entries: 0 };
  }

  #nextAt = Infinity;
  #wakeInTime(): void {
    if (this.#generator.onPeriodic === undefined) return;
    this.#nextAt = this.#context.clock.now() + emitEveryMillis;
    this.#context.wakeAt(this.#nextAt);
  }
  /** undefined and −Infinity emit no watermark. Fractions are cut off. */
  #emitWatermark(call: string, watermark: unknown): void {
    if (watermark === undefined || watermark === -Infinity) return;
    if (typeof watermark !== 'number' || !Number.isFinite(watermark))
      throw new SluiceError(
        'bad-watermark',
        `${call} of the watermark generator of "${this.#context.name}" gave ${described(watermark)}. A watermark is a number of epoch milliseconds; return nothing to leave it as it is.`,
      );
    this.#context.output.watermark(Math.floor(watermark));
  }
}

/**
 * Copies an object literal, so that each operator has its own fields. Variables that its functions
 * capture are shared.
 */
function ownCopy(generator: WatermarkGenerator<unknown>): WatermarkGenerator<unknown> {
  return Object.getPrototypeOf(generator) === Object.prototype ? { ...generator } : generator;
}
