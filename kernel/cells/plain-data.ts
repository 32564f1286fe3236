// Copies data, so that a later evaluation can use it as if it had been computed again.
// The copy is made right after the value is computed, so that later changes by the cell are not in
// it.
import { types } from 'node:util';
import { deepest } from '../../engine/values/leaving.ts';

const primitives = new Set(['string', 'number', 'boolean', 'undefined', 'bigint']);

/**
 * `isData` is false if the value contains a function, a stream, a promise, a Proxy or an
 * instance of a class, or if it is nested so deeply that another thread could not read it.
 */
export type Copy = { readonly isData: true; readonly value: unknown } | { readonly isData: false };

export function copyData(value: unknown): Copy {
  try {
    return { isData: true, value: copy(value, new Map(), 0) };
  } catch (error) {
    if (error === notData || error instanceof RangeError) return { isData: false };
    throw error;
  }
}
const notData = new Error('not data');

function copy(value: unknown, seen: Map<object, unknown>, depth: number): unknown {
  if (primitives.has(typeof value) || value === null) return value;
  if (typeof value !== 'object' || depth > deepest || types.isProxy(value)) throw notData;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const remember = <T extends object>(made: T): T => {
    seen.set(value, made);
    return made;
  };
  if (Array.isArray(value)) {
    const made = remember(new Array<unknown>(value.length));
    for (let i = 0; i < value.length; i++) if (i in value) made[i] = copy(value[i], seen, depth + 1);
    return made;
  }
  switch (Object.getPrototypeOf(value)) {
    case Object.prototype:
    case null:
      return copyFields(
        value,
        remember(Object.create(Object.getPrototypeOf(value) as object | null) as object),
        seen,
        depth,
      );
    case Date.prototype:
      return remember(new Date((value as Date).getTime()));
    case RegExp.prototype:
      return remember(new RegExp(value as RegExp));
    case Map.prototype: {
      const made = remember(new Map<unknown, unknown>());
      for (const [key, inner] of value as Map<unknown, unknown>)
        made.set(copy(key, seen, depth + 1), copy(inner, seen, depth + 1));
      return made;
    }
    case Set.prototype: {
      const made = remember(new Set<unknown>());
      for (const inner of value as Set<unknown>) made.add(copy(inner, seen, depth + 1));
      return made;
    }
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return remember(structuredClone(value));
  throw notData;
}

const asField = { writable: true, enumerable: true, configurable: true };

function copyFields(from: object, to: object, seen: Map<object, unknown>, depth: number): object {
  for (const key of Reflect.ownKeys(from)) {
    const descriptor = Object.getOwnPropertyDescriptor(from, key)!;
    if (typeof key === 'symbol' || !('value' in descriptor) || !descriptor.enumerable) throw notData;
    // An assignment to `__proto__` would set the prototype.
    Object.defineProperty(to, key, { ...asField, value: copy(descriptor.value, seen, depth + 1) });
  }
  return to;
}
