// Freezing: elements are immutable by rule; in the test kit they are in fact, so that code which changes one fails where it does it.

/** Plain objects and arrays, all the way down. Dates, maps, sets and bytes cannot be frozen in JavaScript and are left as they are. */
export function freezeDeep<V>(value: V): V {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeDeep(inner);
  return value;
}
