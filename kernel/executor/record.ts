// A record in an error message: where it came from and what it was, on one line.
import { toPlainJson } from '../protocol/values.ts';

const longest = 300;

export function describeRecord(
  record: { readonly value: unknown; readonly partition?: number; readonly offset?: number },
  source: string | undefined,
): string {
  const place = record.partition === undefined ? '' : `${source ?? 'record'}[${record.partition}]@${record.offset}  `;
  let text: string;
  try {
    text = JSON.stringify(toPlainJson(record.value)) ?? String(record.value);
  } catch {
    text = String(record.value);
  }
  return place + (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
}
