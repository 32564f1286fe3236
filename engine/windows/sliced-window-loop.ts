// The loops of sliced windows. Code that runs per element or per row refers to nothing outside
// itself: each operator runs its own copy (see codegen/specialize.ts).
import type { Contents } from '../aggregates/accumulators.ts';
import { fresh } from '../codegen/specialize.ts';
import type { Output } from '../contract/operator.ts';
import type { Keyed } from '../state/keyed.ts';
import type { StateTable } from '../state/state-table.ts';
import type { KeyMap } from '../state/key-map.ts';
import type { Keys } from '../state/keys.ts';
import type { Chain, Link, Slice, Slices } from './slices.ts';

/** The part of the operator that the loop uses. */
export interface SlicedLoopHost<A extends Keyed> {
  /**
   * The slice of the latest element, if it is quiet: none of its windows has fired, so an element
   * only adds to it.
   */
  quiet: Slice<A> | undefined;
  at: number;
  /** The key at which the loop stopped, and its chain if it has one. */
  newKey: unknown;
  knownChain: Chain<A> | undefined;
  readonly table: StateTable<A, Slice<A>>;
  readonly chainByKey: KeyMap<Chain<A>>;
  /** Sets `quiet`. Returns the slice if it is quiet. */
  quietAt(timestamp: number): Slice<A> | undefined;
  /** Adds the first element of a key to the slice. */
  enter(slice: Slice<A>, element: unknown, key: unknown, chain: Chain<A> | undefined): void;
  /** Handles an element of a slice that is not quiet. False: call again. */
  admit(element: unknown, timestamp: number): boolean;
}
export type SlicedLoop = (values: readonly unknown[], timestamps: Float64Array, from: number, to: number) => number;

/**
 * Adds elements to their slices. `mayBeSlow`: user code runs per element, so the call's time budget
 * may be used up at any element.
 */
export function slicedLoop<A extends Keyed>(
  host: SlicedLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
  label: string,
): SlicedLoop {
  const add = fresh(addLoop<A>, label)(host, keys, contents, output, mayBeSlow);
  return (values, timestamps, from, to) => {
    let at = from;
    while (at < to) {
      const timestamp = timestamps[at]!;
      let slice = host.quiet;
      if (slice === undefined || timestamp < slice.start || timestamp >= slice.end) slice = host.quietAt(timestamp);
      if (slice !== undefined) {
        at = add(values, timestamps, at, to, slice);
        if (at < 0) {
          at = ~at;
          host.at = at;
          host.enter(slice, values[at], host.newKey, host.knownChain);
          at++;
        }
        if (mayBeSlow && at < to && output.full) return at;
        continue;
      }
      host.at = at;
      if (!host.admit(values[at], timestamp)) return at;
      at++;
      if (output.full) return at;
    }
    return to;
  };
}

/**
 * Adds elements[from…to) to their slice. Stops at the first element that belongs to another slice,
 * and returns its index; or at the first whose key has nothing in the slice yet, and returns the
 * complement of its index.
 */
function addLoop<A extends Keyed>(
  host: SlicedLoopHost<A>,
  keys: Keys,
  contents: Contents<A>,
  output: Output,
  mayBeSlow: boolean,
) {
  const { read, find } = keys;
  const { add } = contents;
  const { table } = host;
  const chains = host.chainByKey;
  const { plain } = chains;
  return (values: readonly unknown[], timestamps: Float64Array, from: number, to: number, slice: Slice<A>): number => {
    const { start, end } = slice;
    const { epoch } = table;
    let at = from;
    try {
      for (; at < to; at++) {
        const timestamp = timestamps[at]!;
        if (timestamp < start || timestamp >= end) return at;
        const element = values[at];
        const key = read(element);
        const chain = typeof key === 'object' ? find(chains, key) : plain.get(key);
        let kept: A | undefined;
        if (chain !== undefined) {
          if (chain.slice === slice) kept = chain.kept;
          else {
            // The element is out of order. Its slice is mostly near the end.
            let link = chain.last.before;
            while (link !== undefined && link.slice.start > start) link = link.before;
            if (link !== undefined && link.slice === slice) kept = link.kept;
          }
        }
        if (kept === undefined) {
          host.newKey = key;
          host.knownChain = chain;
          return ~at;
        }
        if (kept.touched !== epoch) table.touch(kept, slice);
        add(kept, element);
        if (mayBeSlow && output.full) return at + 1;
      }
      return to;
    } catch (error) {
      host.at = at;
      throw error;
    }
  };
}

/** A firing window, and its progress. */
export interface Firing {
  readonly start: number;
  readonly end: number;
  readonly windowStart: Date;
  readonly windowEnd: Date;
  /**
   * True: iterate over all keys. False: iterate over the links of the window's slices. The smaller
   * number wins.
   */
  readonly overChains: boolean;
  slice: number;
  at: number;
}
export interface MergedLoops<A extends Keyed> {
  /**
   * The merged content of a key in a window, from its first link in the window on. Read-only: it
   * may be the content of a slice.
   */
  readonly merged: (first: Link<A>, end: number) => A;
  /** Emits rows until all are out (true) or the output is full. */
  readonly fire: (firing: Firing, slices: Slices<A>, chains: readonly Chain<A>[]) => boolean;
}

/**
 * Copied for each operator, see `fresh`. A copy refers to nothing outside, so it is one function.
 */
export function mergedLoops<A extends Keyed>(contents: Contents<A>, output: Output): MergedLoops<A> {
  const { copy, result, isSmall } = contents;
  const merge = contents.merge!;
  /** With fewer links than this in a window, to merge them all each time is as cheap. */
  const fewLinks = 8;

  const merged = (first: Link<A>, end: number): A => {
    let next = first.after;
    if (next === undefined || next.slice.start >= end) return first.kept;
    const all = copy(first.kept, 0);
    do {
      merge(all, next.kept);
      next = next.after;
    } while (next !== undefined && next.slice.start < end);
    return all;
  };
  /** The same for consecutive windows: see `Running`. */
  const nextMerged = (first: Link<A>, end: number): A => {
    const { chain } = first;
    let { running } = chain;
    if (running === undefined || first.slice.start > running.turn.slice.start) {
      let last = first;
      let links = 1;
      for (; last.after !== undefined && last.after.slice.start < end; last = last.after) links++;
      if (links < fewLinks || isSmall === undefined || !isSmall(first.kept)) {
        chain.running = undefined;
        return merged(first, end);
      }
      running = chain.running = { turn: last, newer: undefined, last };
      last.rest = copy(last.kept, 0);
      for (let link = last; link !== first;) {
        const { rest } = link;
        link = link.before!;
        link.rest = copy(link.kept, 0);
        merge(link.rest, rest!);
      }
    } else {
      let next = running.last.after;
      for (; next !== undefined && next.slice.start < end; next = next.after) {
        if (running.newer === undefined) running.newer = copy(next.kept, 0);
        else merge(running.newer, next.kept);
        running.last = next;
      }
    }
    if (running.newer === undefined) return first.rest!;
    const all = copy(first.rest!, 0);
    merge(all, running.newer);
    return all;
  };

  const fire = (firing: Firing, slices: Slices<A>, chains: readonly Chain<A>[]): boolean => {
    const { start, end, windowStart, windowEnd } = firing;
    const timestamp = end - 1;
    if (firing.overChains) {
      while (firing.at < chains.length) {
        let link: Link<A> | undefined = chains[firing.at++]!.first;
        while (link !== undefined && link.slice.start < start) link = link.after;
        if (link === undefined || link.slice.start >= end) continue;
        output.emit(result(nextMerged(link, end), windowStart, windowEnd), timestamp);
        if (output.full) return false;
      }
      return true;
    }
    for (;;) {
      const slice = slices.at(firing.slice);
      if (slice === undefined || slice.start >= end) return true;
      const { links } = slice;
      while (firing.at < links.length) {
        const link = links[firing.at++]!;
        const { before } = link;
        // Its key was emitted with an earlier slice.
        if (before !== undefined && before.slice.start >= start) continue;
        output.emit(result(nextMerged(link, end), windowStart, windowEnd), timestamp);
        if (output.full) return false;
      }
      firing.slice++;
      firing.at = 0;
    }
  };
  return { merged, fire };
}
