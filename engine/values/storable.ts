// Checks that elements and state hold only JSON values, bigint, Date, Uint8Array, Map and Set. A
// snapshot could not hold any other value, so it is refused when it is stored.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { deepest } from './leaving.ts';
import { isPromise } from './promise.ts';
import { classOf, described, kindOf } from './kind.ts';

/** `what` names the place in the error: 'State "last" of totals'. */
export function assertStorable(value: unknown, what: string): void {
  objects = 0;
  storable = undefined;
  const path = firstUnstorable(value, 0);
  storable = undefined;
  if (path !== undefined) throw notStorable(path, what);
}

/** For elements of lists and values of maps: undefined would mean that there is no value. */
export function refuseUndefined(value: unknown, what: string): void {
  if (value === undefined)
    throw new SluiceError('not-storable', `${what} was given undefined. Store null instead, or delete the entry.`);
}

interface Offender {
  readonly value: unknown;
  path: string;
}

/** The value is storable and contains no other values. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'object') return value === null;
  return typeof value !== 'function' && typeof value !== 'symbol';
}

/** Objects that the present check has visited. */
let objects = 0;
/** Storable parts. Only a large value needs them: its parts may be shared many times. */
let storable: Set<object> | undefined;
const fewObjects = 10_000;

/** undefined: the value is storable. Then nothing was allocated, unless the value is large. */
function firstUnstorable(value: unknown, depth: number): Offender | undefined {
  if (isSimple(value)) return undefined;
  if (typeof value !== 'object') return { value, path: '' };
  if (depth > deepest) return { value: undefined, path: '' };
  if (types.isProxy(value)) return { value, path: '' };
  if (++objects <= fewObjects) return unstorablePart(value!, depth);
  storable ??= new Set();
  if (storable.has(value!)) return undefined;
  const found = unstorablePart(value!, depth);
  if (!found) storable.add(value!);
  return found;
}

function unstorablePart(value: object, depth: number): Offender | undefined {
  switch (kindOf(value)) {
    case 'object': {
      const fields = value as Record<string, unknown>;
      for (const name in fields) {
        const inner = fields[name];
        // Most fields are no objects and need no recursive call.
        if (isSimple(inner)) continue;
        const found = firstUnstorable(inner, depth + 1);
        if (found) return within(found, `.${name}`);
      }
      return undefined;
    }
    case 'array': {
      const items = value as unknown[];
      for (let i = 0; i < items.length; i++) {
        const found = firstUnstorable(items[i], depth + 1);
        if (found) return within(found, `[${i}]`);
      }
      return undefined;
    }
    case 'Map':
      for (const [key, inner] of value as Map<unknown, unknown>) {
        const found = firstUnstorable(key, depth + 1) ?? firstUnstorable(inner, depth + 1);
        if (found) return within(found, '{…}');
      }
      return undefined;
    case 'Set':
      for (const inner of value as Set<unknown>) {
        const found = firstUnstorable(inner, depth + 1);
        if (found) return within(found, '{…}');
      }
      return undefined;
    case 'instance':
      return { value, path: '' };
    default:
      return undefined;
  }
}

function within(offender: Offender, step: string): Offender {
  if (offender.path.length < 200) offender.path = step + offender.path;
  return offender;
}

function notStorable({ value, path }: Offender, what: string): SluiceError {
  if (value === undefined)
    return new SluiceError(
      'not-storable',
      `${what} is nested more than 500 levels deep, or contains itself. Keep flat data.`,
    );
  const where = path === '' ? what : `${what}, at ${path.replace(/^\./, '')},`;
  if (types.isProxy(value))
    return new SluiceError('not-storable', `${where} is a Proxy. Copy its fields to a plain object.`);
  const wayOut = isPromise(value)
    ? 'Use mapAsync for what has to be awaited.'
    : kindOf(value) === 'instance'
      ? `Keep a plain object instead, such as { ...${decapitalised(classOf(value as object))} }.`
      : 'Keep data, and call functions where they are needed.';
  return new SluiceError(
    'not-storable',
    `${where} is ${described(value)}. State and elements hold JSON values, bigint, Date, Uint8Array, Map and Set. ${wayOut}`,
  );
}

function decapitalised(name: string): string {
  return /^[A-Za-z]\w*$/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : 'it';
}
