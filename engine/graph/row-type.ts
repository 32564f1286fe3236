// The type of the rows on an edge, as another engine needs it. The cell compiler writes it from
// TypeScript's checker; the engine here does not need it.

export type RowType =
  | { readonly type: ScalarType; readonly nullable?: true }
  /** Fields in the order of their declaration. */
  | { readonly type: 'row'; readonly fields: Readonly<Record<string, RowType>>; readonly nullable?: true }
  | { readonly type: 'list'; readonly of: RowType; readonly nullable?: true }
  | { readonly type: 'map'; readonly key: RowType; readonly value: RowType; readonly nullable?: true };

/**
 * double: a number. long: a bigint. timestamp: a Date. bytes: a Uint8Array. any: everything else,
 * and what has no type.
 */
export type ScalarType = 'string' | 'double' | 'long' | 'boolean' | 'timestamp' | 'bytes' | 'any';
