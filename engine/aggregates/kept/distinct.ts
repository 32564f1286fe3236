// countDistinct, exact: the set of all values. Values are equal when they are equal as keys. null
// is no value, as in SQL.
import { withKeyBytes } from '../../state/key-bytes.ts';
import type { Kept } from './kept.ts';

interface Distinct {
  /** Values for which a Set has the same equality as keys. */
  readonly primitives: Set<unknown>;
  /** The canonical key bytes of all other values, one character per byte. */
  readonly others: Set<string>;
}

export const distinct: Kept<Distinct> = {
  create: (value, element, order) => distinct.add({ primitives: new Set(), others: new Set() }, value, element, order),
  add(kept, value) {
    if (typeof value === 'object') {
      if (value !== null) kept.others.add(bytesText(value));
    } else kept.primitives.add(value);
    return kept;
  },
  merge(into, from) {
    for (const value of from.primitives) into.primitives.add(value);
    for (const value of from.others) into.others.add(value);
    return into;
  },
  copy: ({ primitives, others }) => ({ primitives: new Set(primitives), others: new Set(others) }),
};

export function distinctCount({ primitives, others }: Distinct): number {
  return primitives.size + others.size;
}

function bytesText(value: unknown): string {
  return withKeyBytes([value], (bytes, length) => Buffer.from(bytes.buffer, 0, length).toString('latin1'));
}
