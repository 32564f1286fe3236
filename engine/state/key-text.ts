// The identity of a composite key as a text, for lookups: equal keys have equal texts, different
// keys have different texts. It never leaves the process; key-bytes.ts is the external form.
import { refuseDeepKey, refuseKey } from './key-value.ts';
import { kindOf } from '../values/kind.ts';

export function keyText(tuple: readonly unknown[]): string {
  let text = '';
  for (const value of tuple) text += valueText(value, 0);
  return text;
}

/** Self-delimiting, so that texts can be concatenated. */
function valueText(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return `s${value.length}:${value}`;
    case 'number':
      if (value - value !== 0) refuseKey(value);
      return `n${value};`; // −0 prints as 0
    case 'boolean':
      return value ? 't' : 'f';
    case 'bigint':
      return `i${value};`;
    default:
      return value === null ? '0' : objectText(value, depth);
  }
}

function objectText(value: unknown, depth: number): string {
  refuseDeepKey(depth);
  switch (kindOf(value)) {
    case 'Date': {
      const millis = (value as Date).getTime();
      if (Number.isNaN(millis)) refuseKey(value);
      return `d${millis};`;
    }
    case 'Uint8Array':
      return `b${(value as Uint8Array).length}:${(value as Uint8Array).join()};`;
    case 'array':
      return `a${(value as unknown[]).length}:${(value as unknown[]).map((inner) => valueText(inner, depth + 1)).join('')}`;
    case 'object': {
      const names = Object.keys(value as object).sort();
      const fields = names.map(
        (name) => `${name.length}:${name}${valueText((value as Record<string, unknown>)[name], depth + 1)}`,
      );
      return `o${names.length}:${fields.join('')}`;
    }
    default:
      return refuseKey(value);
  }
}
