// The part of a row that cannot be copied to another thread, for objects that the check of rows
// does not know. Rows with one are rare, so this may copy each part again.
import { messageOf } from '../../engine/errors/thrown.ts';
import { deepest, pathText, stepTo } from '../../engine/values/leaving.ts';
import { cutText } from '../protocol/display-cut.ts';

/** "list.extra cannot be copied: …"; undefined: each part can be copied now. */
export function uncopiedPart(row: unknown): string | undefined {
  return find(row, []);
}

function find(value: unknown, path: readonly string[]): string | undefined {
  let reason: string;
  try {
    structuredClone(value);
    return undefined;
  } catch (error) {
    reason = reasonOf(error);
  }
  const inner = path.length < deepest ? findInside(value, path) : undefined;
  return inner ?? `${pathText(path)} cannot be copied: ${reason}.`;
}

function findInside(value: unknown, path: readonly string[]): string | undefined {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return undefined;
  for (const name of Object.keys(value)) {
    const to = [...path, Array.isArray(value) && /^\d+$/.test(name) ? `[${name}]` : stepTo(name)];
    try {
      const found = find((value as Record<string, unknown>)[name], to);
      if (found !== undefined) return found;
    } catch (error) {
      return `${pathText(to)} cannot be read: ${reasonOf(error)}.`;
    }
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  return cutText(messageOf(error), 500).replace(/\.$/, '');
}
