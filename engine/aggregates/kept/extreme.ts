// minBy and maxBy: the element with the least or the greatest value. Of equal ones, the first to
// arrive.
import { assertStorable } from '../../values/storable.ts';
import type { Kept } from './kept.ts';

export interface Extreme {
  value: number;
  element: unknown;
  order: number;
}

/** `sign` 1: the greatest; −1: the least. */
/** null: no value so far. */
export function extreme(sign: 1 | -1, what: string): Kept<Extreme | null> {
  const isBetter = (value: number, order: number, than: Extreme | null): boolean => {
    if (than === null) return true;
    const difference = sign === 1 ? value > than.value : value < than.value;
    return difference || (value === than.value && order < than.order);
  };
  return {
    check(kept, value, element) {
      if (value !== null && isBetter(value as number, Infinity, kept ?? null)) assertStorable(element, what);
    },
    create: (value, element, order) => (value === null ? null : { value: value as number, element, order }),
    add(kept, value, element, order) {
      if (value === null || !isBetter(value as number, order, kept)) return kept;
      if (kept === null) return { value: value as number, element, order };
      kept.value = value as number;
      kept.element = element;
      kept.order = order;
      return kept;
    },
    merge(into, from) {
      if (from === null || !isBetter(from.value, from.order, into)) return into;
      return { ...from };
    },
    copy: (kept) => kept && { ...kept },
    order: (kept) => kept?.order ?? 0,
    isSmall: () => true,
  };
}
