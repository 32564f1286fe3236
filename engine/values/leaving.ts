// Whether a row can leave its thread and can be written as JSON, and if not, which field prevents
// it.
//
// A message between threads and the text of a sink hold data only. A Promise, a function, a symbol,
// a Proxy, an object such as URL, a cycle, a getter that throws and more than 500 levels of nesting
// are obstacles, and bytes whose buffer is gone. Instances of the user's own classes leave as their
// fields. Text of a row never leaves something out, so there an Error, an invalid Date, an instance
// without fields and a row of more than 1,000,000 values are obstacles as well. A display cuts such
// a row.
//
// The check is one walk that allocates nothing and ends after 1,000,000 values. Parts that a row
// shares count each time, because its text repeats them. Only a row with an obstacle is walked
// again, to find the path of the field.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { messageOf } from '../errors/thrown.ts';
import { classOf, described, kindOf } from './kind.ts';
import { isPromise } from './promise.ts';

/** Deeper data overflow the stack of the thread that reads them. State has the same limit. */
export const deepest = 500;
/** Of one row, with the fields of its parts. */
export const mostValues = 1_000_000;
/** Of one row. A string of JavaScript has at most twice as many. */
const mostCharacters = 256_000_000;

/** `display`: the row is cut afterwards. `text`: it is written whole. */
export type RowTarget = 'display' | 'text';

/** Why a row cannot leave: "page is an object of class URL. …". */
export function obstacleIn(row: unknown, target: RowTarget = 'text'): string | undefined {
  if (isPrimitive(row)) return undefined;
  values = 0;
  characters = 0;
  isText = target === 'text';
  try {
    if (isClear(row, 0) && !isTooLarge()) return undefined;
    // What a display shows lies before this place.
    if (isTooLarge()) return isText ? tooLarge() : undefined;
  } catch {
    // A getter has thrown. The second walk finds its name.
  }
  try {
    return new Search(isText).find(row, 0) ?? 'The row cannot be read twice: a getter threw only once.';
  } catch (error) {
    return `The row cannot be read: ${reasonOf(error)}.`;
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

/** Of the present walk. */
let values = 0;
let characters = 0;
let isText = true;

function isTooLarge(): boolean {
  return values > mostValues || characters > mostCharacters;
}
function tooLarge(): string {
  const size =
    values > mostValues
      ? `${mostValues.toLocaleString('en-US')} values (a part that is used twice counts twice)`
      : `${mostCharacters.toLocaleString('en-US')} characters`;
  return `The row has more than ${size}. Give smaller rows, or several of them.`;
}

/** Counts a value. False: it is an obstacle, or contains one, or the row is too large. */
function isClear(value: unknown, depth: number): boolean {
  values++;
  if (typeof value === 'string') characters += value.length;
  if (isPrimitive(value)) return true;
  if (typeof value !== 'object' || value === null || depth > deepest || types.isProxy(value)) return false;
  return !isTooLarge() && hasClearParts(value, depth + 1);
}

function hasClearParts(value: object, depth: number): boolean {
  switch (kindOf(value)) {
    case 'object': {
      const fields = value as Record<string, unknown>;
      for (const name in fields) {
        const inner = fields[name];
        // Most fields are no objects and need no recursive call.
        if (typeof inner === 'object' || !isPrimitive(inner)) {
          if (!isClear(inner, depth)) return false;
        } else {
          values++;
          if (typeof inner === 'string') characters += inner.length;
        }
      }
      return true;
    }
    case 'array': {
      const items = value as unknown[];
      if (values + items.length > mostValues) {
        values += items.length;
        return false;
      }
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
    case 'Uint8Array':
      characters += base64Length(value as Uint8Array);
      return !isGone(value as Uint8Array);
    case 'Date':
      return !isText || !isInvalid(value as Date);
    case 'instance': {
      if (isNative(value)) return hasText(value);
      const names = Object.keys(value);
      if (isText && names.length === 0) return false;
      for (const name of names) {
        characters += name.length;
        if (!isClear((value as Record<string, unknown>)[name], depth)) return false;
      }
      return hasCopies(value);
    }
    default:
      return true;
  }
}

function base64Length({ byteLength }: { readonly byteLength: number }): number {
  return Math.ceil((byteLength * 4) / 3);
}

/** Messages between threads know these, with all that they hold. */
function isNative(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    (types.isBoxedPrimitive(value) && !types.isSymbolObject(value))
  );
}

function isBytes(value: object): value is ArrayBufferView | ArrayBufferLike {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}
/** The buffer was transferred, or made shorter than the view. Nothing can copy it then. */
function isGone(value: ArrayBufferView | ArrayBufferLike): boolean {
  if (!ArrayBuffer.isView(value)) return 'detached' in value && value.detached;
  try {
    if (value.byteLength === 0 && !(value instanceof DataView)) (value as Uint8Array).values();
    return false;
  } catch {
    return true;
  }
}
/** It has no text: JSON.stringify writes null instead. */
function isInvalid(date: Date): boolean {
  return Number.isNaN(Date.prototype.getTime.call(date));
}

/** Bytes, numbers, a RegExp and boxed values are written as text. An Error has no faithful text. */
function hasText(value: object): boolean {
  if (types.isNativeError(value)) return !isText;
  if (isBytes(value) && isGone(value)) return false;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) values += (value as Float64Array).length;
  else if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) characters += base64Length(value);
  return true;
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

/** The step of a path to a field: ".items", or '["a b"]'. */
export function stepTo(name: string): string {
  return /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 60))}]`;
}
/** "order.items[3]", or "The row" at the top. The path of a deep row is long, so it is cut. */
export function pathText(path: readonly string[]): string {
  if (path.length === 0) return 'The row';
  const steps = path.length > 12 ? [...path.slice(0, 6), '…'] : path;
  return steps.join('').replace(/^\./, '').slice(0, 200);
}

/** Finds the first obstacle. A row needs this at most once, so it may allocate. */
class Search {
  readonly #isText: boolean;
  readonly #path: string[] = [];
  readonly #around = new Set<object>();
  readonly #clear = new Set<object>();

  constructor(isText: boolean) {
    this.#isText = isText;
  }

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

  get where(): string {
    return pathText(this.#path);
  }

  #parts(value: object, depth: number): string | undefined {
    const kind = kindOf(value);
    switch (kind) {
      case 'object':
      case 'instance': {
        if (isPromise(value)) return `${this.where} is a Promise. Use mapAsync, which awaits it.`;
        if (isBytes(value)) return isGone(value) ? this.#gone(value) : undefined;
        if (isNative(value)) return this.#isText && types.isNativeError(value) ? this.#error() : undefined;
        if (this.#isText && kind === 'instance' && Object.keys(value).length === 0) return this.#host(value);
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
      case 'Uint8Array':
        return isGone(value as Uint8Array) ? this.#gone(value) : undefined;
      case 'Date':
        if (!this.#isText || !isInvalid(value as Date)) return undefined;
        return `${this.where} is an invalid Date. Give a text or null.`;
      default:
        return undefined;
    }
  }

  #fields(value: object, depth: number): string | undefined {
    for (const name of Object.keys(value)) {
      const step = stepTo(name);
      let inner: unknown;
      try {
        inner = (value as Record<string, unknown>)[name];
      } catch (error) {
        this.#path.push(step);
        return `${this.where} cannot be read: ${reasonOf(error)}.`;
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

  get #variable(): string {
    const name = this.#path.at(-1)?.replace(/^\./, '') ?? 'row';
    return /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(name) ? name : 'it';
  }
  #error(): string {
    return `${this.where} is an Error, which has no JSON text. Give its text: String(${this.#variable}).`;
  }
  #gone(value: object): string {
    return `${this.where} is an object of class ${classOf(value)} without its bytes: its buffer was transferred, or made shorter than the view. Copy the bytes before that.`;
  }
  #host(value: object): string {
    const variable = this.#variable;
    return `${this.where} is an object of class ${classOf(value)}. Rows hold JSON values, bigint, Date, Uint8Array, Map and Set. Give String(${variable}) or { ...${variable} } instead.`;
  }
}

/** Characters of the text of an error inside an obstacle. */
const longestReason = 500;

function reasonOf(error: unknown): string {
  return messageOf(error).slice(0, longestReason).replace(/\.$/, '');
}
