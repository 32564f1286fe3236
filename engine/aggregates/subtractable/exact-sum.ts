// A sum of doubles from which values can be subtracted again, without a rest: 0.1 + 0.2 − 0.2 is
// 0.1. It is kept as a list of doubles whose bits do not overlap (Shewchuk, "Adaptive Precision
// Floating-Point Arithmetic", 1997), and rounded once when it is read, as in Python's math.fsum. So
// the result depends only on the values, not on their order.

/** At least this large, values are kept divided by 2^64, so that no sum overflows. */
const large = 2 ** 900;
const scale = 2 ** -64;

export interface ExactSum {
  /** Number of values. */
  count: number;
  /** In increasing order of magnitude. */
  partials: number[];
  /** Of the large values, divided by 2^64. */
  scaled: number[];
  /** Numbers of infinite values. */
  positive: number;
  negative: number;
}

export function emptySum(): ExactSum {
  return { count: 0, partials: [], scaled: [], positive: 0, negative: 0 };
}
export function addTo(sum: ExactSum, value: number): void {
  change(sum, value, 1);
}
export function subtractFrom(sum: ExactSum, value: number): void {
  change(sum, value, -1);
}
function change(sum: ExactSum, value: number, sign: 1 | -1): void {
  sum.count += sign;
  if (value === Infinity) sum.positive += sign;
  else if (value === -Infinity) sum.negative += sign;
  else if (Math.abs(value) >= large) addPartial(sum.scaled, sign * value * scale);
  else addPartial(sum.partials, sign * value);
}

/** null without a value. A sum that is too large for a double is infinite. */
export function totalOf(sum: ExactSum): number | null {
  if (sum.count === 0) return null;
  return infiniteTotal(sum) ?? (sum.scaled.length === 0 ? rounded(sum.partials) : scaledTotal(sum) / scale);
}
/** null without a value. It does not overflow where the sum does. */
export function meanOfSum(sum: ExactSum): number | null {
  if (sum.count === 0) return null;
  const infinite = infiniteTotal(sum);
  if (infinite !== undefined) return infinite;
  return sum.scaled.length === 0 ? rounded(sum.partials) / sum.count : scaledTotal(sum) / sum.count / scale;
}

function infiniteTotal({ positive, negative }: ExactSum): number | undefined {
  if (positive > 0) return negative > 0 ? NaN : Infinity;
  return negative > 0 ? -Infinity : undefined;
}
function scaledTotal({ partials, scaled }: ExactSum): number {
  const all = [...scaled];
  for (const partial of partials) addPartial(all, partial * scale);
  return rounded(all);
}

function addPartial(partials: number[], value: number): void {
  let x = value;
  let kept = 0;
  for (const partial of partials) {
    let y = partial;
    if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
    const high = x + y;
    const low = y - (high - x);
    if (low !== 0) partials[kept++] = low;
    x = high;
  }
  partials.length = kept;
  if (x !== 0) partials.push(x);
}

/** The double that is nearest to the exact sum. */
function rounded(partials: readonly number[]): number {
  let at = partials.length - 1;
  if (at < 0) return 0;
  let high = partials[at]!;
  let low = 0;
  while (at > 0) {
    const x = high;
    const y = partials[--at]!;
    high = x + y;
    low = y - (high - x);
    if (low !== 0) break;
  }
  // Half-way cases are rounded to even only if nothing is left below.
  const below = at > 0 ? partials[at - 1]! : 0;
  if ((low < 0 && below < 0) || (low > 0 && below > 0)) {
    const twice = low * 2;
    const x = high + twice;
    if (x - high === twice) high = x;
  }
  return high;
}
