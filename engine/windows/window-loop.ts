// The loops of a window operator, as functions that refer to nothing outside themselves: each operator runs copies of its own (see operators/fresh.ts).
import type { Contents } from '../operators/accumulators.ts';
import type { Output } from '../operators/operator.ts';
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
  /** Epoch of the snapshots. */
  readonly epoch: number;
  spanAt(timestamp: number): Span<A>;
  insert(pane: Pane<A>, element: unknown, key: unknown, row: KeyRow | undefined): A;
  /** An element of a span that is not quiet; false: call again. */
  admit(span: Span<A>, element: unknown, timestamp: number): boolean;
}
export type WindowLoop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/** Adds elements to their windows. `mayBeSlow`: user code runs per element, so the slice may be used up at any of them. */
export function windowLoop<A extends Keyed>(
  host: WindowLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
): WindowLoop {
  const { read, find } = keys;
  const { add } = contents;
  // By far the most common case has a short way: one window, which has not fired.
  const soleOf = (span: Span<A>): Pane<A> | undefined =>
    span.isQuiet && span.panes.length === 1 ? span.panes[0] : undefined;
  return (values, timestamps, from, to) => {
    const epoch = host.epoch;
    let span = host.span;
    let low = span.low;
    let high = span.high;
    let sole = soleOf(span);
    let at = from;
    try {
      for (; at < to; at++) {
        const timestamp = timestamps[at]!;
        if (timestamp < low || timestamp >= high) {
          span = host.spanAt(timestamp);
          low = span.low;
          high = span.high;
          sole = soleOf(span);
        }
        const element = values[at];
        if (sole !== undefined && !mayBeSlow) {
          const key = read(element);
          const accumulated = typeof key === 'object' ? find(sole, key) : sole.plain.get(key);
          if (accumulated === undefined) host.insert(sole, element, key, undefined);
          else {
            add(accumulated, element);
            accumulated.touched = epoch;
          }
        } else if (span.isQuiet) {
          const panes = span.panes;
          if (panes.length > 0) {
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
          }
          if (mayBeSlow && output.full) return at + 1;
        } else {
          if (!host.admit(span, element, timestamp)) return at;
          if (output.full) return at + 1;
        }
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
