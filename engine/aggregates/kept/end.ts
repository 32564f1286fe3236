// first and last: the value of the element that arrived first, or last. Event time does not matter.
import { assertStorable } from '../../values/storable.ts';
import type { Kept } from './kept.ts';

export interface End {
  readonly value: unknown;
  readonly order: number;
}

export function first(what: string): Kept<End> {
  return {
    check(kept, value) {
      if (kept === undefined) assertStorable(value, what);
    },
    create: (value, _element, order) => ({ value, order }),
    add: (kept) => kept,
    merge: (into, from) => (from.order < into.order ? from : into),
    copy: (kept) => kept,
    order: ({ order }) => order,
    isSmall: () => true,
  };
}
export function last(what: string): Kept<End> {
  return {
    check: (_kept, value) => assertStorable(value, what),
    create: (value, _element, order) => ({ value, order }),
    add: (_kept, value, _element, order) => ({ value, order }),
    merge: (into, from) => (from.order > into.order ? from : into),
    copy: (kept) => kept,
    order: ({ order }) => order,
    isSmall: () => true,
  };
}
