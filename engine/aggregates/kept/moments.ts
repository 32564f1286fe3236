// variance and stddev: count, mean and sum of squared deviations, updated per element (Welford
// 1962) and merged (Chan, Golub and LeVeque 1979). Both are numerically stable; the textbook's sum
// of squares is not.
import type { Kept } from './kept.ts';

interface Moments {
  count: number;
  mean: number;
  /** Σ (x − mean)². */
  squares: number;
}

export const moments: Kept<Moments> = {
  create: (value) =>
    value === null ? { count: 0, mean: 0, squares: 0 } : { count: 1, mean: value as number, squares: 0 },
  add(kept, value) {
    if (value === null) return kept;
    const before = (value as number) - kept.mean;
    kept.count++;
    kept.mean += before / kept.count;
    kept.squares += before * ((value as number) - kept.mean);
    return kept;
  },
  merge(into, { count, mean, squares }) {
    if (count === 0) return into;
    const difference = mean - into.mean;
    const all = into.count + count;
    into.squares += squares + (difference * difference * into.count * count) / all;
    into.mean += (difference * count) / all;
    into.count = all;
    return into;
  },
  copy: ({ count, mean, squares }) => ({ count, mean, squares }),
  isSmall: () => true,
};

/** Sample variance: Σ (x − mean)² / (n − 1). NaN for one value, null without one. */
export function variance({ count, squares }: Moments): number | null {
  return count === 0 ? null : squares / (count - 1);
}
export function stddev(kept: Moments): number | null {
  const squared = variance(kept);
  return squared && Math.sqrt(squared);
}
