// The identity of a composite key as a text, for lookups: equal keys give equal texts, different ones different texts. It never leaves the process;
// what does is in key-bytes.ts.
import { refuseKey } from './key-value.ts';
import { kindOf } from './kind.ts';

export function keyText(tuple: readonly unknown[]): string {
  let text = '';
  for (const value of tuple) text += valueText(value);
  return text;
}

/** Self-delimiting, so that texts can be put one behind the other. */
function valueText(value: unknown): string {
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
      return value === null ? '0' : objectText(value);
  }
}

function objectText(value: unknown): string {
  switch (kindOf(value)) {
    case 'Date': {
      const millis = (value as Date).getTime();
      if (Number.isNaN(millis)) refuseKey(value);
      return `d${millis};`;
    }
    case 'Uint8Array':
      return `b${(value as Uint8Array).length}:${(value as Uint8Array).join()};`;
    case 'array':
      return `a${(value as unknown[]).length}:${(value as unknown[]).map(valueText).join('')}`;
    case 'object': {
      const names = Object.keys(value as object).sort();
      const fields = names.map(
        (name) => `${name.length}:${name}${valueText((value as Record<string, unknown>)[name])}`,
      );
      return `o${names.length}:${fields.join('')}`;
    }
    default:
      return refuseKey(value);
  }
}
