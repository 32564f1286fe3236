// The JSON text of a row: dates as ISO-8601, bigint as text, bytes as base64, maps as pairs, sets
// and typed arrays as lists, NaN and ±Infinity as texts, a RegExp as its text. undefined fields are
// left out.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';
import { refuseObstacle } from '../values/leaving.ts';
import { setField } from '../values/field.ts';
import { refusePromise } from '../values/promise.ts';

/** undefined: JSON has no text for the element. Errors: gave-promise, bad-row. */
export function rowText(row: unknown): string | undefined {
  if (isFlat(row)) return textOf(row);
  refusePromise(row, 'The function that made this row');
  refuseObstacle(row, 'The row cannot be written');
  return textOf(plain(row));
}

function textOf(row: unknown): string | undefined {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SluiceError('bad-row', 'The row cannot be written: its JSON text is too long. Give smaller rows.');
  }
}

/**
 * Whether the row has plain fields only, like most rows. JSON.stringify can write it without a
 * replacer.
 */
function isFlat(row: unknown): boolean {
  if (row === null || typeof row !== 'object') return !isText(row);
  if (types.isProxy(row) || Object.getPrototypeOf(row) !== Object.prototype) return false;
  for (const field in row) {
    const value = (row as Record<string, unknown>)[field];
    const type = typeof value;
    if (isText(value) || type === 'function' || type === 'symbol') return false;
    if (type === 'object' && value !== null && !isValidDate(value)) return false;
  }
  return true;
}

function isValidDate(value: unknown): boolean {
  return types.isDate(value) && !Number.isNaN(Date.prototype.getTime.call(value));
}

/** JSON has no such number, so it is written as a text. */
function isText(value: unknown): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
}

function plain(value: unknown): unknown {
  if (isText(value)) return String(value);
  if (value === null || typeof value !== 'object' || types.isDate(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (types.isMap(value)) return [...value].map(([key, inner]) => [plain(key), plain(inner)]);
  if (types.isSet(value)) return [...value].map(plain);
  if (ArrayBuffer.isView(value)) return ofView(value);
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value).toString('base64');
  if (types.isRegExp(value)) return String(value);
  if (types.isBoxedPrimitive(value)) return plain(value.valueOf());
  const copy = {};
  for (const [field, inner] of Object.entries(value)) setField(copy, field, plain(inner));
  return copy;
}

/** Bytes as base64, numbers as a list. */
function ofView(view: ArrayBufferView): unknown {
  if (view instanceof Uint8Array || view instanceof DataView)
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
  return Array.from(view as unknown as Iterable<unknown>, plain);
}
