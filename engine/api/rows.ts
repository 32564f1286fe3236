// Types of result rows as the contract computes them; the contract keeps these two to itself.

/** One object type instead of an intersection, as hovers show it. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};
/** The key part of a row: an object's fields as they are, any other value as `key`. */
export type KeyRow<R> = [R] extends [
  Date | readonly unknown[] | Uint8Array | string | number | bigint | boolean | null | undefined,
]
  ? { key: R }
  : R;
/** The key part of a row that has none. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- no field, and nothing said about others
export type NoKey = {};
