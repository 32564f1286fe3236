// Types of result rows as the contract computes them. The contract does not export these types.

/** One object type instead of an intersection, so that hovers show its fields. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};
/** The key part of a row: an object's fields as they are, any other value as `key`. */
export type KeyRow<R> = [R] extends [
  Date | readonly unknown[] | Uint8Array | string | number | bigint | boolean | null | undefined,
]
  ? { key: R }
  : R;
/** The key part of a row without a key. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a row without a key
export type NoKey = {};
