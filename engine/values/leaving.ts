// Whether a row can leave its thread and can be written as JSON, and if not, which field prevents
// it.
//
// A message between threads and the text of a sink hold data only. A Promise, a function, a symbol,
// a Proxy, an object such as URL, a cycle, a getter that throws and more than 500 levels of nesting
// are obstacles. Instances of the user's own classes leave as their fields.
//
// The check is one walk that allocates nothing. Only a row with an obstacle is walked again, to
// find the path of the field.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { classOf, described, kindOf } from './kind.ts';
import { isPromise } from './promise.ts';

/** Deeper data overflow the stack of the thread that reads them. State has the same limit. */
export const deepest = 500;

/** Why a row cannot leave: "page is an object of class URL. …". */
export function obstacleIn(row: unknown): string | undefined {
  if (isPrimitive(row)) return undefined;
  visited = 0;
  clear = undefined;
  try {
    if (isClear(row, 0)) return undefined;
  } catch {
    // A getter has thrown. The second walk finds its name.
  }
  clear = undefined;
  try {
    return new Search().find(row, 0) ?? 'The row cannot be read twice: a getter threw only once.';
  } catch (error) {
    return `The row cannot be read: ${messageOf(error)}.`;
  }
}

/** `what` begins the sentence: "toFile() cannot write a row". */
export function refuseObstacle(row: unknown, what: string): void {
  const obstacle = obstacleIn(row);
  if (obstacle !== undefined) throw new SluiceError('bad-row', `${what}: ${obstacle}`);
}

function isPrimitive(value: unknown): boolean {
  if (typeof value === 'object') return value === null;
  return typeof value !== 'function' && typeof value !== 'symbol';
}

/** Objects visited by the present walk. */
let visited = 0;
/** Objects without an obstacle. Only a large row needs them: its parts may be shared many times. */
let clear: Set<object> | undefined;
const fewObjects = 10_000;

function isClear(value: unknown, depth: number): boolean {
  if (isPrimitive(value)) return true;
  if (typeof value !== 'object' || value === null || depth > deepest || types.isProxy(value)) return false;
  if (clear?.has(value)) return true;
  if (++visited > fewObjects) clear ??= new Set();
  if (!hasClearParts(value, depth + 1)) return false;
  clear?.add(value);
  return true;
}

function hasClearParts(value: object, depth: number): boolean {
  switch (kindOf(value)) {
    case 'object': {
      const fields = value as Record<string, unknown>;
      for (const name in fields) {
        const inner = fields[name];
        // Most fields are no objects and need no recursive call.
        if (!isPrimitive(inner) && !isClear(inner, depth)) return false;
      }
      return true;
    }
    case 'array': {
      const items = value as unknown[];
      for (let i = 0; i < items.length; i++) if (!isClear(items[i], depth)) return false;
      return true;
    }
    case 'Map':
      for (const [key, inner] of value as Map<unknown, unknown>)
        if (!isClear(key, depth) || !isClear(inner, depth)) return false;
      return true;
    case 'Set':
      for (const inner of value as Set<unknown>) if (!isClear(inner, depth)) return false;
      return true;
    case 'instance':
      if (isNative(value)) return true;
      for (const name of Object.keys(value))
        if (!isClear((value as Record<string, unknown>)[name], depth)) return false;
      return hasCopies(value);
    default:
      return true;
  }
}

/** Messages between threads know these, with all that they hold. */
function isNative(value: object): boolean {
  return (
    ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isRegExp(value) || types.isNativeError(value)
  );
}

/** Classes whose first instance could be copied. */
const copiedClasses = new WeakSet();

/**
 * False for objects of the host, such as URL and WeakMap. The fields of the value are known to be
 * clear.
 */
function hasCopies(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  if (copiedClasses.has(prototype)) return true;
  if (isPromise(value)) return false;
  try {
    structuredClone(value);
  } catch {
    return false;
  }
  copiedClasses.add(prototype);
  return true;
}

/** Finds the first obstacle. A row needs this at most once, so it may allocate. */
class Search {
  readonly #path: string[] = [];
  readonly #around = new Set<object>();
  readonly #clear = new Set<object>();

  find(value: unknown, depth: number): string | undefined {
    if (isPrimitive(value)) return undefined;
    const { where } = this;
    if (typeof value !== 'object' || value === null)
      return `${where} is ${described(value)}. Keep data in rows, and call functions where they are needed.`;
    if (types.isProxy(value)) return `${where} is a Proxy. Copy its fields to a plain object.`;
    if (this.#around.has(value))
      return `${where} refers to an object that contains it, so the row contains itself. Leave this field out.`;
    if (depth > deepest) return `${where} is nested more than ${deepest} levels deep. Keep flat data.`;
    if (this.#clear.has(value)) return undefined;
    this.#around.add(value);
    const found = this.#parts(value, depth + 1);
    this.#around.delete(value);
    if (found === undefined) this.#clear.add(value);
    return found;
  }

  /** "order.items[3]", or "The row" at the top. The path of a deep row is long, so it is cut. */
  get where(): string {
    if (this.#path.length === 0) return 'The row';
    const steps = this.#path.length > 12 ? [...this.#path.slice(0, 6), '…'] : this.#path;
    return steps.join('').replace(/^\./, '').slice(0, 200);
  }

  #parts(value: object, depth: number): string | undefined {
    const kind = kindOf(value);
    switch (kind) {
      case 'object':
      case 'instance': {
        if (isPromise(value)) return `${this.where} is a Promise. Use mapAsync, which awaits it.`;
        if (isNative(value)) return undefined;
        const found = this.#fields(value, depth);
        return found ?? (kind === 'object' || hasCopies(value) ? undefined : this.#host(value));
      }
      case 'array':
        for (const [i, inner] of (value as unknown[]).entries()) {
          const found = this.#at(`[${i}]`, inner, depth);
          if (found !== undefined) return found;
        }
        return undefined;
      case 'Map':
        for (const entry of value as Map<unknown, unknown>)
          for (const inner of entry) {
            const found = this.#at('{…}', inner, depth);
            if (found !== undefined) return found;
          }
        return undefined;
      case 'Set':
        for (const inner of value as Set<unknown>) {
          const found = this.#at('{…}', inner, depth);
          if (found !== undefined) return found;
        }
        return undefined;
      default:
        return undefined;
    }
  }

  #fields(value: object, depth: number): string | undefined {
    for (const name of Object.keys(value)) {
      const step = /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 60))}]`;
      let inner: unknown;
      try {
        inner = (value as Record<string, unknown>)[name];
      } catch (error) {
        this.#path.push(step);
        return `${this.where} cannot be read: ${messageOf(error)}.`;
      }
      const found = this.#at(step, inner, depth);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #at(step: string, inner: unknown, depth: number): string | undefined {
    this.#path.push(step);
    const found = this.find(inner, depth);
    this.#path.pop();
    return found;
  }

  #host(value: object): string {
    const name = this.#path.at(-1)?.replace(/^\./, '') ?? 'row';
    const variable = /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(name) ? name : 'it';
    return `${this.where} is an object of class ${classOf(value)}. Rows hold JSON values, bigint, Date, Uint8Array, Map and Set. Give String(${variable}) or { ...${variable} } instead.`;
  }
}

function messageOf(error: unknown): string {
  try {
    return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  } catch {
    return 'the error has no text';
  }
}
