// assignTimestamps with a watermark generator of the user's: it is asked after every element has gone out, and every 200 ms of processing time if it wants to be.
//
// As in Flink: the input's watermarks are swallowed, but for the end, and its idleness is not heard. A watermark that is not above the last one is ignored, so time
// never falls. A generator is not part of a snapshot: after a restore it begins anew, and what it says counts once it is past what had been said before.
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { FunctionRef } from '../graph/spec.ts';
import type { WatermarkGenerator } from '../api/surface.ts';
import { freezeElements } from '../state/freeze.ts';
import { described } from '../values/kind.ts';
import { compileEventTimes, type EventTime } from '../time/event-time.ts';
import { emitEveryMillis } from '../time/source-time.ts';
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
      this.#say('onElement', this.#generator.onElement(element, time));
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  tick(now: number): boolean {
    if (now < this.#nextAt) return true;
    this.working = 'onPeriodic';
    this.#say('onPeriodic', this.#generator.onPeriodic!());
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
  /** Nothing and −Infinity say nothing; fractions are cut off. */
  #say(call: string, watermark: unknown): void {
    if (watermark === undefined || watermark === -Infinity) return;
    if (typeof watermark !== 'number' || !Number.isFinite(watermark))
      throw new SluiceError(
        'bad-watermark',
        `${call} of the watermark generator of "${this.#context.name}" gave ${described(watermark)}. A watermark is a number of epoch milliseconds; return nothing to leave it as it is.`,
      );
    this.#context.output.watermark(Math.floor(watermark));
  }
}

/** The fields of a literal are this operator's own: another that runs the same text counts for itself. What a function captures is shared. */
function ownCopy(generator: WatermarkGenerator<unknown>): WatermarkGenerator<unknown> {
  return Object.getPrototypeOf(generator) === Object.prototype ? { ...generator } : generator;
}
