// quantile: DDSketch (Masson, Rim and Lee, VLDB 2019). It counts values in bins whose bounds grow
// by a constant factor, so each value in a bin is within 1 % of the bin's representative. A sketch
// depends only on the set of values, not on their order: merging sketches is the same as sketching
// all values in one.
//
// Bins are never collapsed, so the bound always holds. A range of 1 to 1,000,000 takes at most 691
// bins; the range of all numbers takes at most 72,000.
import type { Kept } from './kept.ts';

/** Maximum relative error of a quantile. */
export const quantileError = 0.01;
const factor = (1 + quantileError) / (1 - quantileError);
const binsPerUnit = 1 / Math.log(factor);

export interface QuantileSketch {
  /** Number of values in each bin i: the values in (factor^(i−1), factor^i]. */
  readonly positive: Map<number, number>;
  /** The same for the negative values x, by −x. */
  readonly negative: Map<number, number>;
  zeros: number;
  count: number;
  least: number;
  greatest: number;
}

export const quantileSketch: Kept<QuantileSketch> = {
  create: (value) =>
    quantileSketch.add(
      { positive: new Map(), negative: new Map(), zeros: 0, count: 0, least: Infinity, greatest: -Infinity },
      value,
      value,
      0,
    ),
  add(kept, given) {
    if (given === null) return kept;
    // 0 and -0 are one value: `<` does not order them, so which one came first would decide.
    const value = given === 0 ? 0 : (given as number);
    if (value > 0) increase(kept.positive, binOf(value), 1);
    else if (value < 0) increase(kept.negative, binOf(-value), 1);
    else kept.zeros++;
    kept.count++;
    if (value < kept.least) kept.least = value;
    if (value > kept.greatest) kept.greatest = value;
    return kept;
  },
  merge(into, from) {
    for (const [bin, count] of from.positive) increase(into.positive, bin, count);
    for (const [bin, count] of from.negative) increase(into.negative, bin, count);
    into.zeros += from.zeros;
    into.count += from.count;
    into.least = Math.min(into.least, from.least);
    into.greatest = Math.max(into.greatest, from.greatest);
    return into;
  },
  copy: (kept) => ({ ...kept, positive: new Map(kept.positive), negative: new Map(kept.negative) }),
};

/**
 * The value of rank ⌊p · (n − 1)⌋, counted from 0 at the smallest, with a relative error of at most
 * `quantileError`. null without a value.
 */
export function quantileOf(sketch: QuantileSketch, p: number): number | null {
  const { positive, negative, zeros, count, least, greatest } = sketch;
  if (count === 0) return null;
  let rank = Math.floor(p * (count - 1));
  if (rank === 0) return least;
  if (rank === count - 1) return greatest;
  const within = (value: number): number => Math.min(Math.max(value, least), greatest);
  for (const [bin, inBin] of sorted(negative).reverse()) {
    if (rank < inBin) return within(-valueOf(bin));
    rank -= inBin;
  }
  if (rank < zeros) return 0;
  rank -= zeros;
  for (const [bin, inBin] of sorted(positive)) {
    if (rank < inBin) return within(valueOf(bin));
    rank -= inBin;
  }
  return greatest;
}

function binOf(value: number): number {
  return Math.ceil(Math.log(value) * binsPerUnit);
}
/** The value with the same relative distance to both bounds of the bin. */
function valueOf(bin: number): number {
  return (2 * Math.exp(bin / binsPerUnit)) / (1 + factor);
}
function increase(bins: Map<number, number>, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
}
function sorted(bins: Map<number, number>): [bin: number, count: number][] {
  return [...bins].sort(([a], [b]) => a - b);
}
