// The event time of a record: an integer of epoch milliseconds, a Date, or an ISO-8601 text with a
// zone. Any other value has no event time, and the reason is reported.
import type { FunctionTable } from '../graph/plan.ts';
import type { SelectorSpec } from '../graph/spec.ts';
import { compiled } from '../codegen/specialize.ts';
import { compileSelector } from '../state/selector.ts';
import { described, kindOf } from '../values/kind.ts';
import { refusePromise } from '../values/promise.ts';
import { parseIsoInstant } from './iso-instant.ts';

/** This is also the range of Date. */
export const maxTimestamp = 8.64e15;

/**
 * Epoch milliseconds, or the problem as the end of a sentence that begins with the value's name.
 */
export function eventTimeOf(value: unknown): number | string {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value <= maxTimestamp && value >= -maxTimestamp) return value + 0;
    return `is ${value}; a timestamp is a whole number of epoch milliseconds within ±8.64e15`;
  }
  if (typeof value === 'string') return parseIsoInstant(value) ?? `is ${described(value)}; ${isoHint(value)}`;
  if (value === undefined || value === null) return 'is missing';
  if (kindOf(value) === 'Date') {
    const millis = (value as Date).getTime();
    return Number.isNaN(millis) ? 'is an invalid Date' : millis;
  }
  return `is ${described(value)}; event time is epoch milliseconds, a Date or an ISO-8601 string with a zone`;
}

function isoHint(text: string): string {
  return /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?$/.test(text)
    ? 'it names no zone, so it is no point in time: write it as 2024-01-31T08:00:00Z'
    : 'it is no ISO-8601 date and time with a zone, such as 2024-01-31T08:00:00Z';
}

/** The event times of elements by the plan's selector. */
export interface EventTime {
  /** NaN: the element has no event time. Always a number, so nothing is allocated. */
  readonly of: (this: void, element: unknown) => number;
  /** Why the last element without an event time has none, as a sentence. */
  problem: string;
}

/** The event time of an element, or why it has none. For code off the hot path. */
export function compileEventTime(
  selector: SelectorSpec,
  functions: FunctionTable,
  label: string,
): (element: unknown) => number | string {
  const times = compileEventTimes(selector, functions, label);
  return (element) => {
    const time = times.of(element);
    return Number.isNaN(time) ? times.problem : time;
  };
}

export function compileEventTimes(selector: SelectorSpec, functions: FunctionTable, label: string): EventTime {
  const field = 'field' in selector ? selector.field : undefined;
  const name = field === undefined ? 'What the timestamp function gives' : `"${field}"`;
  const missing =
    field === undefined
      ? 'The timestamp function gives nothing for the record, so it has no event time.'
      : `The record has no "${field}", so it has no event time.`;
  const timeOf = (value: unknown): number => {
    const time = eventTimeOf(value);
    if (typeof time === 'number') return time;
    refusePromise(value, name === `"${field}"` ? name : 'The timestamp function');
    eventTime.problem = time === 'is missing' ? missing : `${name} ${time}.`;
    return NaN;
  };
  const noRecord = (element: unknown): number => {
    eventTime.problem = `The record is ${described(element)}, so it has no ${name} and no event time.`;
    return NaN;
  };
  // Whole numbers, the usual case, are checked without a call. (−0 + 0 is 0.)
  const body = `
    return (element) => {
      ${field === undefined ? '' : `if (typeof element !== 'object' || element === null) return noRecord(element);`}
      const value = select(element);
      if (typeof value === 'number' && Math.floor(value) === value && value <= maxTimestamp && value >= -maxTimestamp) return value + 0;
      return timeOf(value);
    };`;
  const select = compileSelector(selector, functions, label);
  const eventTime: EventTime = { of: compiled(body, { select, timeOf, noRecord, maxTimestamp }, label), problem: '' };
  return eventTime;
}
