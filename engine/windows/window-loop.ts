// The loops of a window operator. What runs for every element refers to nothing outside itself: each operator runs a copy of its own (see codegen/specialize.ts), kept
// small so that it is soon compiled; what runs now and then is shared.
import type { Contents } from '../aggregates/accumulators.ts';
import { fresh } from '../codegen/specialize.ts';
import type { Output } from '../contract/operator.ts';
import type { Keyed } from '../state/changed-groups.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import type { Pane } from './pane.ts';

/** A stretch of event time in which every element belongs to the same windows. */
export interface Span<A extends Keyed> {
  readonly low: number;
  /** Exclusive. */
  readonly high: number;
  /** The windows that are not late, newest first; none in a gap between windows. */
  readonly panes: readonly Pane<A>[];
  /** An element only adds to what is there: none of its windows has fired, or is late. */
  readonly isQuiet: boolean;
}
/** What the loop needs of the operator. */
export interface WindowLoopHost<A extends Keyed> {
  /** The span of the latest element: mostly that of the next one, too. */
  span: Span<A>;
  at: number;
  /** The key at which `addToOne` stopped. */
  newKey: unknown;
  /** Epoch of the snapshots. */
  readonly epoch: number;
  spanAt(timestamp: number): Span<A>;
  insert(pane: Pane<A>, element: unknown, key: unknown, row: KeyRow | undefined): A;
  /** An element of a span that is not quiet; false: call again. */
  admit(span: Span<A>, element: unknown, timestamp: number): boolean;
}
/** Adds elements[from…to) to the windows of a quiet span: up to the first that belongs elsewhere (returns its index), or has a key that is new (the complement of its index). */
type AddLoop<A extends Keyed> = (
  values: readonly unknown[],
  timestamps: Float64Array,
  from: number,
  to: number,
  span: Span<A>,
) => number;
export type WindowLoop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/** Brings elements to their windows. `mayBeSlow`: user code runs per element, so the slice may be used up at any of them. */
export function windowLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
  label: string,
): WindowLoop {
  const addToOne = fresh(addToOneLoop<A>, label)(host, keys, contents, output, mayBeSlow);
  const addToMany = fresh(addToManyLoop<A>, label)(host, keys, contents, output, mayBeSlow);
  return (values, timestamps, from, to) => {
    let at = from;
    while (at < to) {
      const timestamp = timestamps[at]!;
      let { span } = host;
      if (timestamp < span.low || timestamp >= span.high) span = host.spanAt(timestamp);
      const { panes } = span;
      if (span.isQuiet && panes.length > 0) {
        at = (panes.length === 1 ? addToOne : addToMany)(values, timestamps, at, to, span);
        if (at < 0) {
          at = ~at;
          host.at = at;
          host.insert(panes[0]!, values[at], host.newKey, undefined);
          at++;
        }
        if (mayBeSlow && at < to && output.full) return at;
        continue;
      }
      host.at = at;
      if (!span.isQuiet && !host.admit(span, values[at], timestamp)) return at;
      at++;
      if (output.full) return at;
    }
    return to;
  };
}

/** One window, by far the most common case. Copied for each operator, see `fresh`. */
function addToOneLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
): AddLoop<A> {
  const { read, find } = keys;
  const { add } = contents;
  return (values, timestamps, from, to, span) => {
    const { low, high } = span;
    const epoch = host.epoch;
    const pane = span.panes[0]!;
    const { plain } = pane;
    // Keys come in crowds: that of the element before needs no looking up.
    let lastKey: unknown;
    let accumulated: A | undefined;
    let at = from;
    try {
      for (; at < to; at++) {
        const timestamp = timestamps[at]!;
        if (timestamp < low || timestamp >= high) return at;
        const element = values[at];
        const key = read(element);
        if (key !== lastKey || accumulated === undefined) {
          accumulated = typeof key === 'object' ? find(pane, key) : plain.get(key);
          if (accumulated === undefined) {
            host.newKey = key;
            return ~at;
          }
          lastKey = key;
        }
        add(accumulated, element);
        accumulated.touched = epoch;
        if (mayBeSlow && output.full) return at + 1;
      }
      return to;
    } catch (error) {
      host.at = at;
      throw error;
    }
  };
}

/** Windows that overlap. Copied for each operator, see `fresh`. */
function addToManyLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
): AddLoop<A> {
  const { read, find } = keys;
  const { add } = contents;
  return (values, timestamps, from, to, span) => {
    const { low, high, panes } = span;
    const epoch = host.epoch;
    let at = from;
    try {
      for (; at < to; at++) {
        const timestamp = timestamps[at]!;
        if (timestamp < low || timestamp >= high) return at;
        const element = values[at];
        const key = read(element);
        let row;
        for (let p = 0; p < panes.length; p++) {
          const pane = panes[p]!;
          const accumulated = typeof key === 'object' ? find(pane, key) : pane.plain.get(key);
          if (accumulated === undefined) row = host.insert(pane, element, key, row).row;
          else {
            add(accumulated, element);
            accumulated.touched = epoch;
          }
        }
        if (mayBeSlow && output.full) return at + 1;
      }
      return to;
    } catch (error) {
      host.at = at;
      throw error;
    }
  };
}

export type FireLoop<A extends Keyed> = (pane: Pane<A>, from: number) => number;

/** Emits the results of a window from an entry on; returns the first entry not emitted. */
export function fireLoop<A extends Keyed>(contents: Contents<A>, output: Output): FireLoop<A> {
  return (pane, from) => {
    const { entries, windowStart, windowEnd } = pane;
    const timestamp = pane.end - 1;
    let at = from;
    while (at < entries.length) {
      output.emit(contents.result(entries[at++]!, windowStart, windowEnd), timestamp);
      if (output.full) return at;
    }
    return at;
  };
}
