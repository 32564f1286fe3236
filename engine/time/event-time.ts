// The event time of a record: a whole number of epoch milliseconds, a Date, or a text of a date and
// time with a zone. `reading` says how the source's values are meant: the unit of numbers, and the
// zone of texts that have none. Any other value has no event time, and the reason is reported.
import type { FunctionTable } from '../graph/plan.ts';
import type { SelectorSpec, TimeReading, TimeUnit } from '../graph/spec.ts';
import { compiled } from '../codegen/specialize.ts';
import { compileSelector } from '../state/selector.ts';
import { described, kindOf } from '../values/kind.ts';
import { refusePromise } from '../values/promise.ts';
import { parseIsoInstant } from './iso-instant.ts';
import { UnitGuess } from './unit-guess.ts';
import { zoneOf } from './zone.ts';

/** This is also the range of Date. */
export const maxTimestamp = 8.64e15;
const utc = zoneOf('UTC')!;

/**
 * Epoch milliseconds, or the problem as the end of a sentence that begins with the value's name.
 */
export function eventTimeOf(value: unknown, reading: TimeReading = {}): number | string {
  if (typeof value === 'number' || typeof value === 'bigint') return epochTime(value, reading.unit);
  if (typeof value === 'string') return textTime(value, reading);
  if (value === undefined || value === null) return 'is missing';
  if (kindOf(value) === 'Date') {
    const millis = (value as Date).getTime();
    return Number.isNaN(millis) ? 'is an invalid Date' : millis;
  }
  return `is ${described(value)}; event time is epoch milliseconds, a Date or an ISO-8601 string with a zone`;
}

const unitNames: Readonly<Record<TimeUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

function epochTime(value: number | bigint, unit: TimeUnit | undefined): number | string {
  const millis = typeof value === 'bigint' ? bigintMillis(value, unit) : numberMillis(value, unit);
  if (millis <= maxTimestamp && millis >= -maxTimestamp) return millis + 0;
  const wanted = unit === undefined ? 'a whole number of epoch milliseconds' : `epoch ${unitNames[unit]}`;
  const wayOut = unit === undefined ? ". For seconds, microseconds or nanoseconds, give unit: 's', 'us' or 'ns'" : '';
  return `is ${described(value)}; a timestamp is ${wanted} within ±8.64e15 ms${wayOut}`;
}
/** NaN: not a whole number, and no unit was given. */
function numberMillis(value: number, unit: TimeUnit | undefined): number {
  if (unit === undefined) return Number.isInteger(value) ? value : NaN;
  const millis = unit === 's' ? value * 1000 : unit === 'ms' ? value : unit === 'us' ? value / 1e3 : value / 1e6;
  // 1700000000.123 s is a little less as a double, and must not lose a millisecond.
  const rounded = Math.round(millis);
  return Math.abs(millis - rounded) < 1e-3 ? rounded : Math.floor(millis);
}
function bigintMillis(value: bigint, unit: TimeUnit | undefined): number {
  if (unit === 's') return Number(value * 1000n);
  const divisor = unit === 'us' ? 1000n : unit === 'ns' ? 1_000_000n : 1n;
  const rest = value % divisor;
  return Number((value - (rest < 0n ? rest + divisor : rest)) / divisor);
}

function textTime(text: string, { zone, unit }: TimeReading): number | string {
  const instant = parseIsoInstant(text, zone === undefined ? undefined : zoneOf(zone));
  if (instant !== undefined) return instant;
  // Integers that a double cannot hold may be read as texts.
  if (unit !== undefined && /^[+-]?\d+$/.test(text)) return epochTime(BigInt(text.replace(/^\+/, '')), unit);
  if (unit !== undefined && /^[+-]?\d+\.\d+$/.test(text)) return epochTime(Number(text), unit);
  return `is ${described(text)}; ${isoHint(text)}`;
}
function isoHint(text: string): string {
  if (parseIsoInstant(text, utc) !== undefined)
    return "it names no zone, so it is no point in time: give the source its zone, such as zone: 'Europe/Zurich', or write 2024-01-31T08:00:00Z";
  return /^[+-]?\d+(\.\d+)?$/.test(text)
    ? "it is a number in a text: give the source its unit, such as unit: 'ms'"
    : 'it is no ISO-8601 date and time with a zone, such as 2024-01-31T08:00:00Z';
}

/** The event times of elements by the plan's selector. */
export interface EventTime {
  /** NaN: the element has no event time. Always a number, so nothing is allocated. */
  readonly of: (this: void, element: unknown) => number;
  /** Why the last element without an event time has none, as a sentence. */
  problem: string;
  /**
   * Looks at the first numbers, if they have no unit. `of` shows it those that need a call. Its
   * caller shows it the times that `of` has given, which are many, in runs.
   */
  readonly guess: UnitGuess | undefined;
}

/** The event time of an element, or why it has none. For code off the hot path. */
export type EventTimeOrProblem = ((element: unknown) => number | string) & Pick<EventTime, 'guess'>;

export function compileEventTime(
  selector: SelectorSpec,
  functions: FunctionTable,
  label: string,
  reading?: TimeReading,
): EventTimeOrProblem {
  const times = compileEventTimes(selector, functions, label, reading);
  const timeOf = (element: unknown): number | string => {
    const time = times.of(element);
    if (Number.isNaN(time)) return times.problem;
    times.guess?.look(time);
    return time;
  };
  return Object.assign(timeOf, { guess: times.guess });
}

export function compileEventTimes(
  selector: SelectorSpec,
  functions: FunctionTable,
  label: string,
  reading: TimeReading = {},
): EventTime {
  const field = 'field' in selector ? selector.field : undefined;
  const name = field === undefined ? 'What the timestamp function gives' : `"${field}"`;
  const missing =
    field === undefined
      ? 'The timestamp function gives nothing for the record, so it has no event time.'
      : `The record has no "${field}", so it has no event time.`;
  const timeOf = (value: unknown): number => {
    if (typeof value === 'number' || typeof value === 'bigint') guess?.look(Number(value));
    else if (value !== undefined && value !== null) guess?.sawNoNumber();
    const time = eventTimeOf(value, reading);
    if (typeof time === 'number') return time;
    refusePromise(value, name === `"${field}"` ? name : 'The timestamp function');
    eventTime.problem = time === 'is missing' ? missing : `${name} ${time}.`;
    return NaN;
  };
  const noRecord = (element: unknown): number => {
    eventTime.problem = `The record is ${described(element)}, so it has no ${name} and no event time.`;
    return NaN;
  };
  const { unit = 'ms' } = reading;
  const guess = reading.unit === undefined ? new UnitGuess(label) : undefined;
  // Whole numbers, the usual case, are checked without a call. (−0 + 0 is 0.)
  const check = `if (typeof value === 'number' && Math.floor(value) === value && value <= maxTimestamp && value >= -maxTimestamp) return value + 0;`;
  const body = `
    return (element) => {
      ${field === undefined ? '' : `if (typeof element !== 'object' || element === null) return noRecord(element);`}
      const value = select(element);
      ${unit === 'ms' ? check : ''}
      return timeOf(value);
    };`;
  const select = compileSelector(selector, functions, label);
  const eventTime: EventTime = {
    of: compiled(body, { select, timeOf, noRecord, maxTimestamp }, label),
    problem: '',
    guess,
  };
  return eventTime;
}
