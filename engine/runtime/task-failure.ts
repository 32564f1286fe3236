// The failure of a task: which operator threw, and which record, key, window or timer it was
// working on.
import type { Batch, Operator } from '../contract/operator.ts';
import { isBrokenInvariant } from '../errors/invariant.ts';
import { SluiceError } from '../errors/error.ts';
import { messageOf } from '../errors/thrown.ts';
import { isAtPromise, type ProcessCall } from './task-call.ts';
import type { TaskHead } from './task-head.ts';

export interface TaskFailure {
  /** Instance id of the operator that threw. */
  readonly node: string;
  readonly error: unknown;
  /**
   * Key and window, or key and timer, when the operator was not working on a record of its input.
   */
  readonly working?: string;
  /** The record it was working on. */
  readonly record?: FailedRecord;
  /** Only these partitions of a source have failed. The source goes on with the others. */
  readonly partitions?: readonly string[];
}
export interface FailedRecord {
  readonly value: unknown;
  readonly timestamp: number;
  readonly partition?: number;
  readonly offset?: number;
}

/**
 * `nodes` are the ids of the task's operators, head first. `call`: the error was thrown while its
 * batch was processed.
 */
export function failureOf(
  error: unknown,
  head: TaskHead,
  nodes: readonly string[],
  call: ProcessCall | undefined,
): TaskFailure {
  const { operator } = head;
  const stage = head.failedStage;
  const at = call && isAtPromise(call) ? call.end : operator?.at;
  const record = (stage === undefined ? operator?.failedRecord : undefined) ?? (call && recordAt(call.batch, at));
  const working = call ? undefined : operator?.working;
  return {
    node: nodes[stage ?? 0]!,
    error,
    ...(record && { record }),
    ...(working !== undefined && { working }),
  };
}

/** The operator cannot write its state: the error names the operator and the way out. */
export function unwritable(error: unknown, name: string): unknown {
  if (isBrokenInvariant(error)) return error;
  const cause = messageOf(error);
  return new SluiceError(
    'state-not-stored',
    `${name} cannot keep its state in a snapshot: ${cause.replace(/\.$/, '')}. ` +
      'Elements and state that operators keep must be plain data, without functions. ' +
      'Take out what cannot be stored, with map() before this operator.',
    {},
    { cause: error },
  );
}

function recordAt(
  { length, values, timestamps, partitions, offsets }: Batch,
  at: Operator['at'],
): FailedRecord | undefined {
  if (at === undefined || at >= length) return undefined;
  return {
    value: values[at],
    timestamp: timestamps[at]!,
    ...(partitions && offsets && { partition: partitions[at]!, offset: offsets[at]! }),
  };
}
