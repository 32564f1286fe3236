// The label of a saved key: how results show it, where its tuple does not tell. Mostly the names of
// its fields are known and its values are flat, and there is no label.
import type { KeyRow, Keys } from './keys.ts';

type Named = Pick<Keys, 'fields'>;

/** undefined: the tuple and the known names make the same row. */
export function labelOf(row: KeyRow, { fields = keyOnly }: Named): KeyRow | undefined {
  const names = Object.keys(row);
  if (names.length !== fields.length) return row;
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== fields[i]) return row;
    const value = row[names[i]!];
    // The fields of an object in a key come back ordered by name.
    if (typeof value === 'object' && value !== null && isNested(value)) return row;
  }
  return undefined;
}
export function rowOf(tuple: readonly unknown[], label: unknown, { fields = keyOnly }: Named): KeyRow {
  return (label as KeyRow | undefined) ?? Object.fromEntries(fields.map((field, at) => [field, tuple[at]]));
}

/** The name of a key that a function gives as one value. */
const keyOnly = ['key'];

function isNested(value: object): boolean {
  return !(value instanceof Date || value instanceof Uint8Array);
}
