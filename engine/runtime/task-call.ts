// A call of a task's operator. A call that does not finish is repeated until it is done.
import type { Batch, Operator } from '../contract/operator.ts';
import { firstPromise, refusePromiseElement } from '../values/promise.ts';
import type { Barrier } from './channel.ts';
import type { Collector } from './collector.ts';
import type { Slot } from './input-gate.ts';
import { forwardTime, type TimeCall } from './time-forwarding.ts';

/**
 * `from`: the first record of the batch that the operator has not taken. `end`: the first one that
 * is a Promise, which it does not take; or the length of the batch; -1 before the test.
 */
export interface ProcessCall {
  readonly kind: 'process';
  readonly slot: Slot;
  readonly batch: Batch;
  from: number;
  end: number;
}
export type OperatorCall =
  ProcessCall | ({ readonly kind: 'time' } & TimeCall) | { readonly kind: 'tick' } | { readonly kind: 'end' };

/** `refusesPromises`: the task's operator computes with the elements. */
export function processCall(slot: Slot, batch: Batch, refusesPromises: boolean): ProcessCall {
  return { kind: 'process', slot, batch, from: 0, end: refusesPromises ? -1 : batch.length };
}

/** The runtime does its part at a barrier, so the operator is not called. */
export type Call = OperatorCall | { readonly kind: 'barrier'; readonly barrier: Barrier };

/** The part of a task that a call works on. */
export interface CalledTask {
  readonly operator: Operator | undefined;
  readonly output: Collector;
  watermark: number;
  recordsIn: number;
  contentIn: number;
  now(): number;
  isDrained(): boolean;
}

/** Calls the operator once. True: the call is done. */
export function performCall(call: OperatorCall, task: CalledTask): boolean {
  const operator = task.operator!;
  switch (call.kind) {
    case 'process': {
      task.output.origin = call.batch;
      const isContent = call.batch.isContent === true;
      if (isContent) task.output.beginContent(true);
      const next = take(operator, call);
      const consumed = next - call.from;
      call.slot.channel?.consumed(consumed);
      task.recordsIn += consumed;
      if (isContent) {
        task.contentIn += consumed;
        task.output.beginContent(false);
      }
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

function take(operator: Operator, call: ProcessCall): number {
  const { slot, batch, from } = call;
  // A trap of a Proxy may throw here. Then it is an error of the operator.
  if (call.end < 0) call.end = firstPromiseOf(call);
  const { end } = call;
  if (end === batch.length) return operator.process(slot.input, batch, from);
  if (isAtPromise(call)) refusePromiseElement(batch.values[end]);
  const { values, timestamps, partitions, offsets, isContent } = batch;
  const readable: Batch = {
    ...{ length: end, values, timestamps },
    ...(partitions && { partitions }),
    ...(offsets && { offsets }),
    ...(isContent !== undefined && { isContent }),
  };
  return operator.process(slot.input, readable, from);
}
function firstPromiseOf({ slot, batch: { values, length, isContent } }: ProcessCall): number {
  const isTested = isContent !== true && slot.channel?.isTested === true;
  // A filter does not find the promise of a library: the first element is tested here too.
  const found = firstPromise(values, isTested ? Math.min(1, length) : length);
  return isTested && found === 1 ? length : found;
}
export function isAtPromise({ batch, from, end }: ProcessCall): boolean {
  return from === end && end < batch.length;
}
