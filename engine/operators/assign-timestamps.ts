// assignTimestamps: sets new event times and emits watermarks made from them, by the rule of a
// source with one partition: see engine/time/source-time.ts. The watermarks of the input are
// dropped, except the last one, +Infinity.
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { WatermarkSpec } from '../graph/spec.ts';
import { freezeElements } from '../state/freeze.ts';
import { compileEventTimes, type EventTime } from '../time/event-time.ts';
import { SourceTime, type SourceTimeState } from '../time/source-time.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

export class AssignTimestampsOperator implements Operator {
  readonly generatesWatermarks = true;
  at = 0;
  readonly #eventTime: EventTime;
  readonly #spec: WatermarkSpec | undefined;
  #context!: OperatorContext;
  #time!: SourceTime;
  constructor(node: NodeOf<'assignTimestamps'>, functions: FunctionTable) {
    this.#eventTime = compileEventTimes(node.parameters.timestamp, functions, node.uid);
    this.#spec = node.parameters.watermark;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#time = new SourceTime(context.output, context.clock.now(), this.#spec);
    this.#time.partition('');
    this.#wakeInTime();
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    let i = from;
    while (i < batch.length) {
      this.at = i;
      const value = batch.values[i];
      const time = this.#eventTime.of(value);
      if (Number.isNaN(time)) throw noEventTime(this.#eventTime);
      this.#time.record(0, time);
      output.emit(value, time);
      i++;
      if (output.full) break;
    }
    this.#look(i < batch.length);
    return i;
  }
  tick(): boolean {
    this.#look(false);
    return true;
  }
  /**
   * The input's idleness is not forwarded. When the input becomes idle, the watermark that its
   * records have reached is emitted at once.
   */
  idle(_input: 0 | 1, isIdle: boolean): void {
    if (isIdle) this.#time.final();
  }
  advance(): boolean {
    return true;
  }
  snapshot(writer: StateWriter): void {
    writer.value(this.#time.snapshot());
  }
  restore(reader: StateReader): void {
    const state = reader.value() as SourceTimeState | undefined;
    if (!state) return;
    this.#time = new SourceTime(this.#context.output, this.#context.clock.now(), this.#spec);
    this.#time.restore(state);
    this.#wakeInTime();
  }
  status(): OperatorStatus {
    return { entries: 0 };
  }

  #look(heldBack: boolean): void {
    this.#time.onClock(this.#context.clock.now(), heldBack);
    this.#wakeInTime();
  }
  #wakeInTime(): void {
    const { nextAt } = this.#time;
    if (nextAt < Infinity) this.#context.wakeAt(nextAt);
  }
}

export function noEventTime({ problem }: EventTime): SluiceError {
  return new SluiceError(
    'no-event-time',
    `${problem} Filter such records out before assignTimestamps, or give them a time with map().`,
  );
}
