// The values that a key may hold: string, finite number, bigint, boolean, null, Date, Uint8Array,
// and arrays and plain objects of these.
import { SluiceError } from '../errors/error.ts';
import { described, kindOf } from '../values/kind.ts';

/** Throws for a value that cannot be a key. `field` is the field with the value. */
export function refuseKey(value: unknown, field?: string): never {
  const where = field === undefined ? 'The key' : `The key field "${field}"`;
  const hint =
    value === undefined
      ? 'Filter out records without it, or give them a key of their own.'
      : 'A key is made of strings, finite numbers, bigints, booleans, null, Dates, bytes, and arrays and plain objects of these.';
  throw new SluiceError('bad-key', `${where} is ${described(value)}. ${hint}`);
}

/** Throws for an element without a key. The error names the element. */
export function refuseMissingKey(element: unknown, field?: string): never {
  const where = field === undefined ? 'The key' : `The key field "${field}"`;
  throw new SluiceError(
    'bad-key',
    `${where} is undefined: the element is ${described(element)}. Filter out such elements, or give them a key of their own.`,
  );
}

/** Stops the recursion over a key that contains itself. */
export function refuseDeepKey(depth: number, field?: string): void {
  if (depth <= 500) return;
  const where = field === undefined ? 'The key' : `The key field "${field.split('.', 1)[0]}"`;
  throw new SluiceError(
    'bad-key',
    `${where} is nested more than 500 levels deep, or contains itself. Make the key of the values that tell elements apart.`,
  );
}

/** Throws unless the value can be a key, or part of one. */
export function assertKeyValue(value: unknown, field?: string, depth = 0): void {
  switch (kindOf(value)) {
    case 'null':
    case 'boolean':
    case 'string':
    case 'bigint':
    case 'Uint8Array':
      return;
    case 'number':
      if (!Number.isFinite(value)) refuseKey(value, field);
      return;
    case 'Date':
      if (Number.isNaN((value as Date).getTime())) refuseKey(value, field);
      return;
    case 'array':
      refuseDeepKey(depth, field);
      for (const inner of value as unknown[]) assertKeyValue(inner, field, depth + 1);
      return;
    case 'object':
      refuseDeepKey(depth, field);
      for (const [name, inner] of Object.entries(value as object))
        assertKeyValue(inner, field === undefined ? name : `${field}.${name}`, depth + 1);
      return;
    default:
      refuseKey(value, field);
  }
}
