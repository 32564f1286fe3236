// The kind of a value, as keys, state and comparisons distinguish it. An object of another realm
// has the same kind: a cell may run in a context of its own.
import { types } from 'node:util';

export type ValueKind =
  | 'undefined'
  | 'null'
  | 'boolean'
  | 'number'
  | 'string'
  | 'bigint'
  | 'Date'
  | 'Uint8Array'
  | 'array'
  | 'object'
  | 'Map'
  | 'Set'
  | 'function'
  | 'symbol'
  /** An object of a class, or a host object. */
  | 'instance';

export function kindOf(value: unknown): ValueKind {
  if (typeof value !== 'object') return typeof value;
  if (value === null) return 'null';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'object';
  if (Array.isArray(value)) return 'array';
  if (types.isDate(value)) return 'Date';
  if (types.isUint8Array(value)) return 'Uint8Array';
  if (types.isMap(value)) return 'Map';
  if (types.isSet(value)) return 'Set';
  // Plain objects of another realm: their prototype is the end of the chain, like Object.prototype
  // here.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
    ? 'object'
    : 'instance';
}

/** A value for an error message: short, on one line. */
export function described(value: unknown): string {
  if (types.isProxy(value)) return 'a Proxy';
  switch (kindOf(value)) {
    case 'string':
      return JSON.stringify((value as string).length > 60 ? `${(value as string).slice(0, 57)}…` : value);
    case 'bigint':
      return `${value as bigint}n`;
    case 'Date':
      return Number.isNaN((value as Date).getTime()) ? 'an invalid Date' : (value as Date).toISOString();
    case 'array':
      return `an array of ${(value as unknown[]).length}`;
    case 'function':
      return (value as { name: string }).name === ''
        ? 'a function'
        : `the function ${(value as { name: string }).name}`;
    case 'object':
      return `an object with ${Object.keys(value as object).join(', ') || 'no fields'}`;
    case 'Uint8Array':
      return `${(value as Uint8Array).length} bytes`;
    case 'Map':
    case 'Set':
      return `a ${kindOf(value)} of ${(value as Map<unknown, unknown>).size}`;
    case 'instance':
      if (types.isPromise(value)) return 'a Promise (mapAsync awaits one)';
      return `an object of class ${classOf(value as object)}`;
    default:
      return String(value);
  }
}

/** A key as the beginning of a text: `who "ann", `. Empty for the key without fields. */
export function describedRow(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${described(value)}, `)
    .join('');
}

export function classOf(value: object): string {
  try {
    const { constructor } = value as { constructor?: { name?: unknown } };
    const name = constructor?.name;
    if (typeof name === 'string' && name !== '') return name.slice(0, 100);
  } catch {
    // A getter that throws.
  }
  return 'without a name';
}
