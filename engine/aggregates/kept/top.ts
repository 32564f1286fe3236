// topN: the n elements with the greatest values, greatest first. Of equal values, the first to
// arrive.
import { assertStorable } from '../../values/storable.ts';
import type { Kept } from './kept.ts';

interface Ranked {
  readonly value: number;
  readonly element: unknown;
  readonly order: number;
}

export function top(n: number, what: string): Kept<Ranked[]> {
  const insert = (ranking: Ranked[], ranked: Ranked): void => {
    let at = ranking.length;
    while (at > 0 && isBefore(ranked, ranking[at - 1]!)) at--;
    if (at >= n) return;
    ranking.splice(at, 0, ranked);
    if (ranking.length > n) ranking.length = n;
  };
  return {
    check(kept, value, element) {
      if (value === null) return;
      if (kept === undefined || kept.length < n || (value as number) > kept.at(-1)!.value)
        assertStorable(element, what);
    },
    create: (value, element, order) => (value === null ? [] : [{ value: value as number, element, order }]),
    add(kept, value, element, order) {
      if (value === null) return kept;
      // Most elements do not rank: nothing is allocated for them.
      if (kept.length < n || (value as number) > kept[n - 1]!.value)
        insert(kept, { value: value as number, element, order });
      return kept;
    },
    merge(into, from) {
      for (const ranked of from) insert(into, ranked);
      return into;
    },
    copy: (kept) => kept.slice(),
    isSmall: () => n <= 16,
    order: (kept) => kept.reduce((highest, { order }) => Math.max(highest, order), 0),
  };
}

export function ranking(kept: readonly Ranked[]): unknown[] {
  return kept.map(({ element }) => element);
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.value > b.value || (a.value === b.value && a.order < b.order);
}
