// A record in an error message: where it came from and what it was, on one line.
import { inspect } from 'node:util';
import { obstacleIn } from '../../engine/values/leaving.ts';
import { cutForDisplay } from '../protocol/display-cut.ts';
import { toPlainJson } from '../protocol/values.ts';

const longest = 300;

export interface RecordPlace {
  readonly partition?: number;
  readonly offset?: number;
}

export function describeRecord(record: RecordPlace & { readonly value: unknown }, source: string | undefined): string {
  return placeText(record, source) + recordText(record.value);
}

/** "orders[3]@188204  ", or nothing when the place is not known. */
export function placeText({ partition, offset }: RecordPlace, source: string | undefined): string {
  return partition === undefined ? '' : `${source ?? 'record'}[${partition}]@${offset}  `;
}

/** Works for every value: one that holds a Promise or itself, and one whose getters throw. */
export function recordText(value: unknown): string {
  const text = obstacleIn(value, 'display') === undefined ? jsonText(value) : inspected(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

function jsonText(value: unknown): string {
  try {
    const { value: short } = cutForDisplay(value, { depth: 100, text: longest, bytes: 4 * longest });
    return JSON.stringify(toPlainJson(short)) ?? String(value);
  } catch {
    return inspected(value);
  }
}

/** Runs no code of the value. */
function inspected(value: unknown): string {
  return inspect(value, {
    ...{ depth: 3, breakLength: Infinity, compact: true, customInspect: false, getters: false },
    ...{ maxArrayLength: 10, maxStringLength: 100 },
  });
}
