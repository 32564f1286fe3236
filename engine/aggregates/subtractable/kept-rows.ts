// The aggregates that keep rows: topN, all rows by their value, and collect, in the order of
// arrival. A row that has changed arrives again.
import { assertStorable } from '../../values/storable.ts';
import type { Subtractable } from './subtractable.ts';

interface Ranked {
  readonly value: number;
  readonly id: string;
  readonly row: unknown;
}

/**
 * Greatest value first. Of equal values, the first to arrive. All rows are kept, because any may
 * leave.
 */
export function topRows(n: number, what: string): Subtractable<Ranked[]> {
  return {
    create: () => [],
    check(value, row) {
      if (value !== null) assertStorable(row, what);
    },
    add(kept, value, { id, row }) {
      if (value !== null) kept.splice(firstBelow(kept, value as number), 0, { value: value as number, id, row });
      return kept;
    },
    subtract(kept, value, { id }) {
      if (value === null) return kept;
      for (let at = firstBelow(kept, value as number) - 1; at >= 0 && kept[at]!.value === value; at--)
        if (kept[at]!.id === id) {
          kept.splice(at, 1);
          break;
        }
      return kept;
    },
    read: (kept) => kept.slice(0, n).map(({ row }) => row),
  };
}
/** The place behind all values that are at least as great. */
function firstBelow(ranking: readonly Ranked[], value: number): number {
  let low = 0;
  let high = ranking.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranking[middle]!.value >= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A Map keeps the order in which its keys came. */
export function collectedValues(what: string): Subtractable<Map<string, unknown>> {
  return {
    create: () => new Map(),
    check: (value) => assertStorable(value, what),
    add(kept, value, { id }) {
      kept.delete(id);
      return kept.set(id, value);
    },
    subtract(kept, _value, { id }) {
      kept.delete(id);
      return kept;
    },
    read: (kept) => [...kept.values()],
  };
}
