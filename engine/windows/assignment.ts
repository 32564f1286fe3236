// Assigns an element to its windows, for every kind of window: by its timestamp, or by the clock
// for windows of processing time.
import { SluiceError } from '../errors/error.ts';
import { described } from '../values/kind.ts';
import { parseDuration } from '../time/duration.ts';
import { maxTimestamp } from '../time/event-time.ts';
import { assignerOf, type WindowRange, windowsOf } from './assigner.ts';
import { isMerging, timeOf, type WindowSpec } from '../graph/window-spec.ts';

export interface Assignment {
  readonly isEventTime: boolean;
  readonly isMerging: boolean;
  /**
   * The windows in the order of assignment: for sliding windows, newest first. `time` is the
   * element's timestamp, or the processing time when `isEventTime` is false.
   */
  assign(this: void, element: unknown, time: number): readonly WindowRange[];
  /** The last millisecond of the window; +∞ for the global window. */
  maxTimestamp(window: WindowRange): number;
  /**
   * The timestamp of the window's results: its last millisecond, limited to the range of a
   * timestamp.
   */
  resultTimestamp(window: WindowRange): number;
}

/** The bounds of the global window: the least and the greatest Date. */
const globalRange: WindowRange = { start: -maxTimestamp, end: maxTimestamp };

/** `resolve` returns a function of the user's. `name` is the operator, for errors. */
export function assignmentOf<F>(
  spec: WindowSpec<F>,
  resolve: (fn: F) => (...given: never[]) => unknown,
  name: string,
): Assignment {
  const isGlobal = spec.kind === 'global';
  return {
    isEventTime: timeOf(spec) === 'event',
    isMerging: isMerging(spec),
    assign: assignerAt(spec, resolve, name),
    maxTimestamp: isGlobal ? () => Infinity : ({ end }) => end - 1,
    resultTimestamp: isGlobal ? () => maxTimestamp : ({ end }) => end - 1,
  };
}

function assignerAt<F>(
  spec: WindowSpec<F>,
  resolve: (fn: F) => (...given: never[]) => unknown,
  name: string,
): Assignment['assign'] {
  switch (spec.kind) {
    case 'tumbling':
    case 'sliding': {
      const assigner = assignerOf(spec);
      return (_element, time) => windowsOf(time, assigner);
    }
    case 'session': {
      if ('gapMillis' in spec) return (_element, time) => [{ start: time, end: time + spec.gapMillis }];
      const gapOf = gapReader(resolve(spec.gap) as (element: unknown) => unknown, name);
      return (element, time) => [{ start: time, end: time + gapOf(element) }];
    }
    case 'global':
      return () => [globalRange];
    case 'custom': {
      const assign = resolve(spec.assign) as (element: unknown, time: number) => unknown;
      return (element, time) => checkedWindows(assign(element, time), name);
    }
  }
}

/**
 * Reads the gap of an element, a duration. Parsed gaps are cached, because most elements have one
 * of a few.
 */
function gapReader(gap: (element: unknown) => unknown, name: string): (element: unknown) => number {
  const millisOf = new Map<unknown, number>();
  const what = `The gap of session() in "${name}"`;
  return (element) => {
    const duration = gap(element);
    const known = millisOf.get(duration);
    if (known !== undefined) return known;
    const millis = parseDuration(duration, what);
    if (!(millis > 0 && Number.isInteger(millis)))
      throw new SluiceError(
        'bad-window',
        `${what} is ${described(duration)} for this element. A gap is at least 1ms, in whole milliseconds.`,
      );
    if (millisOf.size >= 1000) millisOf.clear();
    millisOf.set(duration, millis);
    return millis;
  };
}

function checkedWindows(windows: unknown, name: string): readonly WindowRange[] {
  if (windows === null || typeof windows !== 'object' || !(Symbol.iterator in windows))
    throw new SluiceError(
      'bad-window',
      `assign() of the custom window of "${name}" gave ${described(windows)}. It must give an iterable of { start, end }.`,
    );
  const ranges: WindowRange[] = [];
  for (const window of windows as Iterable<unknown>) {
    const { start, end } = (window ?? {}) as Partial<WindowRange>;
    if (!isTime(start) || !isTime(end) || start > end)
      throw new SluiceError(
        'bad-window',
        `assign() of the custom window of "${name}" gave a window from ${described(start)} to ${described(end)}. ` +
          'start and end are whole epoch milliseconds, and a window does not end before it starts.',
      );
    ranges.push({ start: start + 0, end: end + 0 });
  }
  return ranges;
}
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= maxTimestamp;
}
