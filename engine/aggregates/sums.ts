// The sum of an aggregate. It is null without a value. When a sum of finite numbers is too large
// for a double, it is kept divided by 2^64, so that an average of large values does not overflow.

interface LargeSum {
  readonly scaled: number;
}
export type Sum = number | null | LargeSum;

const scale = 2 ** -64;

/** Adds a value, or another sum. */
export function added(kept: Sum, given: Sum): Sum {
  if (given === null) return kept;
  // From 0, so that the generated code may add to null.
  if (kept === null) return typeof given === 'number' ? 0 + given : given;
  if (typeof kept === 'number' && typeof given === 'number') {
    const sum = kept + given;
    if (Number.isFinite(sum) || !Number.isFinite(kept) || !Number.isFinite(given)) return sum;
  }
  const scaled = scaledOf(kept) + scaledOf(given);
  const sum = scaled / scale;
  return Number.isFinite(sum) || !Number.isFinite(scaled) ? sum : { scaled };
}

/** A large sum is an infinite number. */
export function sumOf(kept: Sum): number | null {
  return kept !== null && typeof kept === 'object' ? kept.scaled / scale : kept;
}

/** null without a value. */
export function meanOf(kept: Sum, count: number): number | null {
  if (kept === null || typeof kept === 'number') return kept === null ? null : kept / count;
  return kept.scaled / count / scale;
}

function scaledOf(kept: number | LargeSum): number {
  return typeof kept === 'number' ? kept * scale : kept.scaled;
}
