// Encodes values for the wire: JSON with tags for the types that JSON lacks.
// `toPlainJson` is the form of `--json`.
//
// A tag is an object whose only field has a name that begins with `$`. A user's object of that
// shape is wrapped: {"$object": {…}}. So data cannot forge a tag, and `fromWire(toWire(v))` equals
// v. Three things differ: a field whose value is undefined is left out, a hole of an array becomes
// undefined, and an object has no class. Functions and symbols are left out too.

export function toWire(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: numberText(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      return value === null ? null : objectToWire(value);
    default:
      return undefined;
  }
}

function objectToWire(value: object): unknown {
  if (Array.isArray(value)) return Array.from(value, elementToWire);
  // The time of an invalid date is NaN, for which JSON has no number.
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (value instanceof Uint8Array) return { $bytes: base64(value) };
  if (value instanceof Map)
    return { $map: Array.from(value, ([key, inner]) => [elementToWire(key), elementToWire(inner)]) };
  if (value instanceof Set) return { $set: Array.from(value, elementToWire) };
  const fields = mapFields(value, toWire);
  return tagOf(fields) === undefined ? fields : { $object: fields };
}

/** An element has a place, so undefined cannot be left out. */
function elementToWire(value: unknown): unknown {
  const wire = toWire(value);
  return wire === undefined ? { $undefined: true } : wire;
}

/** Throws an error for a wire value that `toWire` cannot have made. */
export function fromWire(wire: unknown): unknown {
  if (wire === null || typeof wire !== 'object') return wire;
  if (Array.isArray(wire)) return wire.map(fromWire);
  const tag = tagOf(wire);
  return tag === undefined ? mapFields(wire, fromWire) : untagged(tag, (wire as Record<string, unknown>)[tag]);
}

function untagged(tag: string, inner: unknown): unknown {
  switch (tag) {
    case '$number':
      if (typeof inner === 'string' && isNumberText(inner)) return Number(inner);
      break;
    case '$bigint':
      if (typeof inner === 'string' && /^-?\d+$/.test(inner)) return BigInt(inner);
      break;
    case '$date':
      if (inner === null || typeof inner === 'number') return new Date(inner ?? NaN);
      break;
    case '$bytes':
      if (typeof inner === 'string') return Uint8Array.from(atob(inner), (c) => c.charCodeAt(0));
      break;
    case '$map':
      if (Array.isArray(inner)) return new Map(inner.map(entryFromWire));
      break;
    case '$set':
      if (Array.isArray(inner)) return new Set(inner.map(fromWire));
      break;
    case '$object':
      if (typeof inner === 'object' && inner !== null) return mapFields(inner, fromWire);
      break;
    case '$undefined':
      return undefined;
  }
  throw new TypeError(`The tag ${tag} is not known, or its value is malformed.`);
}

function entryFromWire(entry: unknown): [unknown, unknown] {
  if (!Array.isArray(entry)) throw new TypeError('The tag $map contains a value that is no entry.');
  return [fromWire(entry[0]), fromWire(entry[1])];
}

/** The name of the object's only field, if it begins with `$`. */
function tagOf(value: object): string | undefined {
  let only: string | undefined;
  for (const name in value) {
    if (only !== undefined || !name.startsWith('$')) return undefined;
    only = name;
  }
  return only;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
function isNumberText(text: string): boolean {
  return text === 'NaN' || text === 'Infinity' || text === '-Infinity' || text === '-0';
}

/** A decoded value, or the reason why it cannot be shown. A bad value spoils no other. */
export type ReadValue = { readonly value: unknown } | { readonly problem: string };

export function readWire(wire: unknown): ReadValue {
  try {
    return { value: fromWire(wire) };
  } catch (error) {
    return { problem: cannotBeShown(error) };
  }
}

/** The decoded value, or the reason why it cannot be shown, as text. */
export function shownValue(wire: unknown): unknown {
  const read = readWire(wire);
  return 'problem' in read ? read.problem : read.value;
}

export function cannotBeShown(error: unknown): string {
  return `cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * The form for other programs: dates as ISO strings, bigint as string, bytes as base64, typed
 * arrays as lists, a RegExp as its text, undefined left out. An invalid Date is the text "Invalid
 * Date": a display shows it, and --json refuses it before.
 */
export function toPlainJson(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Map) return Array.from(value, ([key, inner]) => [plainElement(key), plainElement(inner)]);
  if (value instanceof Set) return Array.from(value, plainElement);
  if (Array.isArray(value)) return Array.from(value, plainElement);
  if (ArrayBuffer.isView(value)) {
    if (value instanceof DataView) return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return Array.from(value as unknown as Iterable<unknown>, plainElement);
  }
  if (value instanceof ArrayBuffer || isSharedBuffer(value)) return base64(new Uint8Array(value));
  if (value instanceof RegExp) return String(value);
  if (isBoxed(value)) return toPlainJson(value.valueOf());
  if (typeof value === 'object') return mapFields(value, toPlainJson);
  return undefined;
}

/** A page has SharedArrayBuffer only where it is isolated. */
function isSharedBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer;
}
/* eslint-disable @typescript-eslint/no-wrapper-object-types -- the types of boxed values are meant */
export function isBoxed(value: unknown): value is Number | String | Boolean | BigInt {
  return value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt;
}
/* eslint-enable @typescript-eslint/no-wrapper-object-types */

function plainElement(value: unknown): unknown {
  return toPlainJson(value) ?? null;
}

/** `__proto__` is a name like any other, so an assignment must not set the prototype. */
export function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, writable: true, enumerable: true, configurable: true });
  else fields[name] = value;
}

function mapFields(value: object, convert: (inner: unknown) => unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const converted = convert(inner);
    if (converted !== undefined) setField(result, name, converted);
  }
  return result;
}

const base64Bytes = 0x8000;

function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += base64Bytes)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + base64Bytes)));
  return btoa(pieces.join(''));
}
