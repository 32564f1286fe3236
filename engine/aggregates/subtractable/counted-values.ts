// Values with the number of times that each one is there: sorted, for min and max, and by key, for
// countDistinct.
import { keyText } from '../../state/key-text.ts';
import type { Subtractable } from './subtractable.ts';

interface Sorted {
  /** In increasing order, each once. A number comes before an equal bigint. */
  readonly values: unknown[];
  readonly counts: number[];
}

/** The least value (`end` 0) or the greatest one (`end` −1). null without a value. */
export function extremeValue(end: 0 | -1): Subtractable<Sorted> {
  return {
    create: () => ({ values: [], counts: [] }),
    add(kept, value) {
      if (value === null) return kept;
      const { at, isThere } = placeOf(kept.values, value);
      if (isThere) kept.counts[at]!++;
      else {
        kept.values.splice(at, 0, value);
        kept.counts.splice(at, 0, 1);
      }
      return kept;
    },
    subtract(kept, value) {
      const { at, isThere } = value === null ? noPlace : placeOf(kept.values, value);
      if (!isThere || --kept.counts[at]! > 0) return kept;
      kept.values.splice(at, 1);
      kept.counts.splice(at, 1);
      return kept;
    },
    read: ({ values }) => values.at(end) ?? null,
  };
}

interface Place {
  readonly at: number;
  readonly isThere: boolean;
}
const noPlace: Place = { at: 0, isThere: false };
function placeOf(values: readonly unknown[], value: unknown): Place {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(values[middle], value);
    if (order === 0) return { at: middle, isThere: true };
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return { at: low, isThere: false };
}
/** Numbers and bigints, texts, or Dates. */
function compare(a: unknown, b: unknown): number {
  if ((a as number) < (b as number)) return -1;
  if ((a as number) > (b as number)) return 1;
  return Number(typeof a === 'number') === Number(typeof b === 'number') ? 0 : typeof a === 'number' ? -1 : 1;
}

/** By the text of the value as a key. */
export const distinctValues: Subtractable<Map<string, number>> = {
  create: () => new Map(),
  add(kept, value) {
    if (value === null) return kept;
    const key = keyText([value]);
    kept.set(key, (kept.get(key) ?? 0) + 1);
    return kept;
  },
  subtract(kept, value) {
    if (value === null) return kept;
    const key = keyText([value]);
    const left = (kept.get(key) ?? 1) - 1;
    if (left > 0) kept.set(key, left);
    else kept.delete(key);
    return kept;
  },
  read: (kept) => kept.size,
};
