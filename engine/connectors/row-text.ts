// The JSON text of a row: dates as ISO-8601, bigint as text, bytes as base64, maps as pairs, sets
// as lists. undefined fields are left out.
import { types } from 'node:util';
import { refuseObstacle } from '../values/leaving.ts';
import { refusePromise } from '../values/promise.ts';

/** undefined: JSON has no text for the element. */
export function rowText(row: unknown): string | undefined {
  if (isFlat(row)) return JSON.stringify(row);
  refusePromise(row, 'The function that made this row');
  refuseObstacle(row, 'The row cannot be written');
  return JSON.stringify(plain(row));
}

/**
 * Whether the row has plain fields only, like most rows. JSON.stringify can write it without a
 * replacer.
 */
function isFlat(row: unknown): boolean {
  if (row === null || typeof row !== 'object') return typeof row !== 'bigint';
  if (Object.getPrototypeOf(row) !== Object.prototype || types.isProxy(row)) return false;
  for (const field in row) {
    const value = (row as Record<string, unknown>)[field];
    const type = typeof value;
    if (type === 'bigint' || type === 'function' || type === 'symbol') return false;
    if (type === 'object' && value !== null && !(value instanceof Date)) return false;
  }
  return true;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return [...value].map(([key, inner]) => [plain(key), plain(inner)]);
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, plain(inner)]));
}
