// The loops of a window operator. Code that runs per element refers to nothing outside itself: each
// operator runs its own copy (see codegen/specialize.ts). The copies are small, so that V8 compiles
// them soon. Code that runs rarely is shared.
import type { Contents } from '../aggregates/accumulators.ts';
import { fresh } from '../codegen/specialize.ts';
import type { Output } from '../contract/operator.ts';
import type { Keyed } from '../state/keyed.ts';
import type { StateTable } from '../state/state-table.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import type { Pane } from './pane.ts';

/** An interval of event time in which every element belongs to the same windows. */
export interface Span<A extends Keyed> {
  readonly low: number;
  /** Exclusive. */
  readonly high: number;
  /** The windows that are not late, newest first. Empty in a gap between windows. */
  readonly panes: readonly Pane<A>[];
  /** None of the windows has fired or is late, so an element only adds to them. */
  readonly isQuiet: boolean;
}
/** The part of the operator that the loop uses. */
export interface WindowLoopHost<A extends Keyed> {
  /** The span of the latest element. The next element mostly has the same span. */
  span: Span<A>;
  at: number;
  /** The key at which `addToOne` stopped. */
  newKey: unknown;
  readonly table: StateTable<A, Pane<A>>;
  spanAt(timestamp: number): Span<A>;
  insert(pane: Pane<A>, element: unknown, key: unknown, row: KeyRow | undefined): A;
  /** Handles an element of a span that is not quiet; false: call again. */
  admit(span: Span<A>, element: unknown, timestamp: number): boolean;
}
/**
 * Adds elements[from…to) to the windows of a quiet span. Stops at the first element outside the
 * span, and returns its index; or at the first with a new key, and returns the complement of its
 * index.
 */
type AddLoop<A extends Keyed> = (
  values: readonly unknown[],
  timestamps: Float64Array,
  from: number,
  to: number,
  span: Span<A>,
) => number;
export type WindowLoop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/**
 * Adds elements to their windows. `mayBeSlow`: user code runs per element, so the call's time
 * budget may be used up at any element.
 */
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

/** For one window, the most common case. Copied for each operator, see `fresh`. */
function addToOneLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
): AddLoop<A> {
  const { read, find } = keys;
  const { add } = contents;
  const { table } = host;
  return (values, timestamps, from, to, span) => {
    const { low, high } = span;
    const { epoch } = table;
    const pane = span.panes[0]!;
    const { plain } = pane;
    // Consecutive elements often have the same key: no lookup is needed then.
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
        if (accumulated.touched !== epoch) table.touch(accumulated, pane);
        add(accumulated, element);
        if (mayBeSlow && output.full) return at + 1;
      }
      return to;
    } catch (error) {
      host.at = at;
      throw error;
    }
  };
}

/** For windows that overlap. Copied for each operator, see `fresh`. */
function addToManyLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
): AddLoop<A> {
  const { read, find } = keys;
  const { add } = contents;
  const { table } = host;
  return (values, timestamps, from, to, span) => {
    const { low, high, panes } = span;
    const { epoch } = table;
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
            if (accumulated.touched !== epoch) table.touch(accumulated, pane);
            add(accumulated, element);
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

/**
 * Emits the results of a window from an entry on. Returns the index of the first entry not emitted.
 */
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
