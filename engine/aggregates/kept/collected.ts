// collect: all values, in the order of arrival.
import { assertStorable } from '../../values/storable.ts';
import type { Kept } from './kept.ts';

export interface Collected {
  values: unknown[];
  /** Position of each value in the order of arrival. */
  orders: number[];
}

export function collected(what: string): Kept<Collected> {
  return {
    check: (_kept, value) => assertStorable(value, what),
    create: (value, _element, order) => ({ values: [value], orders: [order] }),
    add(kept, value, _element, order) {
      kept.values.push(value);
      kept.orders.push(order);
      return kept;
    },
    merge(into, from) {
      if (from.orders[0]! > into.orders.at(-1)!) {
        for (let i = 0; i < from.values.length; i++) {
          into.values.push(from.values[i]);
          into.orders.push(from.orders[i]!);
        }
        return into;
      }
      const merged: Collected = { values: [], orders: [] };
      for (let a = 0, b = 0; a < into.orders.length || b < from.orders.length;) {
        const isInto = b >= from.orders.length || into.orders[a]! < from.orders[b]!;
        merged.values.push(isInto ? into.values[a] : from.values[b]);
        merged.orders.push(isInto ? into.orders[a++]! : from.orders[b++]!);
      }
      return merged;
    },
    copy: ({ values, orders }) => ({ values: values.slice(), orders: orders.slice() }),
    order: ({ orders }) => orders.at(-1)!,
  };
}
