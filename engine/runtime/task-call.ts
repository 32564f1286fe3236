// A call of a task's operator. A call that does not finish is repeated until it is done.
import type { Batch, Operator } from '../contract/operator.ts';
import type { Barrier } from './channel.ts';
import type { Collector } from './collector.ts';
import type { Slot } from './input-gate.ts';
import { forwardTime, type TimeCall } from './time-forwarding.ts';

/** `from`: the first record of the batch that the operator has not taken. */
export type OperatorCall =
  | { readonly kind: 'process'; readonly slot: Slot; readonly batch: Batch; from: number }
  | ({ readonly kind: 'time' } & TimeCall)
  | { readonly kind: 'tick' }
  | { readonly kind: 'end' };

/** The runtime does its part at a barrier, so the operator is not called. */
export type Call = OperatorCall | { readonly kind: 'barrier'; readonly barrier: Barrier };

/** The part of a task that a call works on. */
export interface CalledTask {
  readonly operator: Operator | undefined;
  readonly output: Collector;
  watermark: number;
  recordsIn: number;
  now(): number;
  isDrained(): boolean;
}

/** Calls the operator once. True: the call is done. */
export function performCall(call: OperatorCall, task: CalledTask): boolean {
  const operator = task.operator!;
  switch (call.kind) {
    case 'process': {
      task.output.origin = call.batch;
      const next = operator.process(call.slot.input, call.batch, call.from);
      const consumed = next - call.from;
      call.slot.channel?.consumed(consumed);
      task.recordsIn += consumed;
      call.from = next;
      return next >= call.batch.length;
    }
    case 'time':
      return forwardTime(call, operator, task.output, task);
    case 'tick':
      return operator.tick!(task.now());
    case 'end':
      return (operator.end?.() ?? true) && task.isDrained();
  }
}
