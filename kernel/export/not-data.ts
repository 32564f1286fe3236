// What keeps a value from being data: an instance of a class, a Promise, a Proxy.
import { types } from 'node:util';
import { isStreamLike } from '../../engine/api/reference.ts';
import { classOf, kindOf } from '../../engine/values/kind.ts';

const deepest = 100;

/**
 * "an instance of Socket". undefined: nothing but functions, classes and streams, which a job
 * makes again.
 */
export function notData(value: unknown): string | undefined {
  return search(value, new Set(), 0);
}

function search(value: unknown, seen: Set<object>, depth: number): string | undefined {
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null || seen.has(value) || depth > deepest) return undefined;
  if (types.isProxy(value)) return 'a Proxy';
  if (types.isPromise(value)) return 'a Promise';
  seen.add(value);
  if (isStreamLike(value)) return undefined;
  const inner = (values: Iterable<unknown>): string | undefined => {
    for (const one of values) {
      const found = search(one, seen, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  switch (kindOf(value)) {
    case 'array':
    case 'Set':
      return inner(value as Iterable<unknown>);
    case 'Map':
      return inner([...(value as Map<unknown, unknown>)].flat());
    case 'object':
      return inner(Object.values(value));
    case 'instance':
      if (types.isRegExp(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return undefined;
      return `an instance of ${classOf(value)}`;
    default:
      return undefined;
  }
}

export function liveMessage(name: string, owner: string, what: string): string {
  return `This function captures ${name} of cell "${owner}", ${what}: a live object cannot go into a job. Make it inside the function, or in a module that the cell imports.`;
}
