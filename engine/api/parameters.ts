// Parameters of a node during its declaration: plan data that still holds the user's functions.
// `lower` replaces them by references.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { functionHash } from '../graph/fingerprint.ts';
import type { FunctionRef, Json } from '../graph/spec.ts';
import type { FunctionTable } from '../graph/plan.ts';

/** A function that the plan will refer to. `lower` writes the reference in its place. */
export class UserFunction {
  readonly slot: string;
  /** The entry of the function table for the executor. */
  readonly run: unknown;
  readonly #textHash: (fallback: string | undefined) => string;
  constructor(slot: string, run: unknown, textHash: (fallback: string | undefined) => string) {
    this.slot = slot;
    this.run = run;
    this.#textHash = textHash;
  }
  textHash(fallback: string | undefined): string {
    return this.#textHash(fallback);
  }
}

export type Parameter =
  | string
  | number
  | boolean
  | null
  | UserFunction
  | readonly Parameter[]
  | { readonly [name: string]: Parameter | undefined };
export type Parameters = { readonly [name: string]: Parameter | undefined };

/** Plan data; each function goes into the table and is replaced by its reference. */
export function lower(
  parameter: Parameter,
  uid: string,
  functions: FunctionTable,
  fallback: string | undefined,
): Exclude<Json, undefined> {
  if (parameter instanceof UserFunction) {
    const reference: FunctionRef = { uid, slot: parameter.slot, textHash: parameter.textHash(fallback) };
    functions.set(reference, parameter.run);
    return { ...reference };
  }
  if (parameter === null || typeof parameter !== 'object') return parameter;
  if (Array.isArray(parameter)) return parameter.map((inner: Parameter) => lower(inner, uid, functions, fallback));
  const fields = Object.entries(parameter as Parameters).flatMap(([name, inner]) =>
    inner === undefined ? [] : [[name, lower(inner, uid, functions, fallback)] as const],
  );
  return Object.fromEntries(fields);
}

/** `where` names the call for the error: "map()". */
export function userFunction(where: string, slot: string, fn: unknown): UserFunction {
  if (types.isAsyncFunction(fn)) throw isAsync(where, 'an async function');
  return awaitedFunction(where, slot, fn);
}
function isAsync(where: string, what: string): SluiceError {
  return new SluiceError(
    'gave-promise',
    `${where} takes a plain value, and was given ${what}, which gives a Promise. Use mapAsync() for what has to be awaited.`,
  );
}

/** As `userFunction`, where a Promise is awaited. */
export function awaitedFunction(where: string, slot: string, fn: unknown): UserFunction {
  if (typeof fn !== 'function')
    throw new SluiceError('not-a-function', `${where} takes a function, not ${describe(fn)}.`);
  return new UserFunction(slot, fn, (fallback) => functionHash(fn, { fallback }));
}

/**
 * A method of an object literal. It runs with the object as `this`. The method's captures are those
 * of the object.
 */
export function userMethod(where: string, owner: object, name: string, slot = name): UserFunction {
  if (types.isAsyncFunction((owner as Record<string, unknown>)[name]))
    throw isAsync(where, `the async function ${name}`);
  return awaitedMethod(where, owner, name, slot);
}

/** As `userMethod`, where a Promise is awaited. */
export function awaitedMethod(where: string, owner: object, name: string, slot = name): UserFunction {
  const method: unknown = (owner as Record<string, unknown>)[name];
  if (typeof method !== 'function')
    throw new SluiceError('not-a-function', `${where} needs a function ${name}, not ${describe(method)}.`);
  const run: unknown = method.bind(owner);
  return new UserFunction(slot, run, (fallback) => functionHash(method, { owner, fallback }));
}

/** The name of a field, or a function of the element. */
export function selector(where: string, slot: string, selected: unknown): { field: string } | { fn: UserFunction } {
  if (typeof selected === 'function') return { fn: userFunction(where, slot, selected) };
  if (typeof selected === 'string' && selected !== '') return { field: selected };
  throw new SluiceError('bad-selector', `${where} takes the name of a field or a function, not ${describe(selected)}.`);
}

/** The names of key fields. `where` names a call that also takes one function of the `item`. */
export function keyFieldNames(where: string, item: 'element' | 'row', keys: readonly unknown[]): readonly string[] {
  if (keys.length === 0)
    throw new SluiceError('bad-key', `${where} needs the names of the key fields, or one function of the ${item}.`);
  return keys.map((key) => {
    if (typeof key === 'string' && key !== '') return key;
    throw new SluiceError('bad-key', `${where} takes names of fields or one function, not ${describe(key)}.`);
  });
}

/** A value in an error message: short, never more than one line. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  // Streams have the name of their public type.
  return typeof name === 'string' && name !== 'Object' && name !== ''
    ? `a ${name.replace(/^Planned/, '')}`
    : 'an object';
}
