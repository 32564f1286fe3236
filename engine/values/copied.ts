// Copies a storable value; the copy shares nothing mutable with it. Several times faster than
// structuredClone for small values, such as accumulators.
import { setField } from './field.ts';
import { kindOf } from './kind.ts';

export function copied<V>(value: V): V {
  return copyOf(value) as V;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  switch (kindOf(value)) {
    case 'object': {
      const copy: Record<string, unknown> = {};
      for (const [name, inner] of Object.entries(value)) {
        setField(copy, name, typeof inner === 'object' ? copyOf(inner) : inner);
      }
      return copy;
    }
    case 'array':
      return (value as unknown[]).map(copyOf);
    case 'Map':
      return new Map([...(value as Map<unknown, unknown>)].map(([key, inner]) => [copyOf(key), copyOf(inner)]));
    case 'Set':
      return new Set([...(value as Set<unknown>)].map(copyOf));
    case 'Date':
      return new Date((value as Date).getTime());
    case 'Uint8Array':
      return new Uint8Array(value as Uint8Array);
    default:
      return value;
  }
}
