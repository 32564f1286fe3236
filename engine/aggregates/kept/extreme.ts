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
export function extreme(sign: 1 | -1, what: string): Kept<Extreme> {
  const isBetter = (value: number, order: number, than: Extreme): boolean => {
    const difference = sign === 1 ? value > than.value : value < than.value;
    return difference || (value === than.value && order < than.order);
  };
  return {
    check(kept, value, element) {
      if (kept === undefined || isBetter(value as number, Infinity, kept)) assertStorable(element, what);
    },
    create: (value, element, order) => ({ value: value as number, element, order }),
    add(kept, value, element, order) {
      if (isBetter(value as number, order, kept)) {
        kept.value = value as number;
        kept.element = element;
        kept.order = order;
      }
      return kept;
    },
    merge(into, from) {
      if (isBetter(from.value, from.order, into)) {
        into.value = from.value;
        into.element = from.element;
        into.order = from.order;
      }
      return into;
    },
    copy: ({ value, element, order }) => ({ value, element, order }),
    order: ({ order }) => order,
    isSmall: () => true,
  };
}
