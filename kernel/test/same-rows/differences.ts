// Compares what two targets have committed to a topic: as multisets of rows, or by the last row of
// each key.
import { type CommittedRecord, noText } from './committed-topics.ts';
import type { Output } from './notebooks.ts';

/** The rows that count, as texts. */
export function countedRows(kind: Output['kind'], records: readonly CommittedRecord[]): readonly string[] {
  if (kind === 'rows') return records.map((record) => `${record.timestamp} ${textOf(record)}`);
  const sorted = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  const lastByKey = new Map(sorted.map((record) => [record.key, record]));
  return [...lastByKey.values()].filter(({ value }) => !value.includes('"isGone":true')).map(textOf);
}
/** A key has one partition. A record without key may lie in any. */
function textOf({ key, value, headers, partition }: CommittedRecord): string {
  const place = key === noText ? noText : `${partition} ${key}`;
  return `${place} {${headers}}: ${value}`;
}

/** A line for each row that one of them has more often than the other. */
export function differences(expected: readonly string[], found: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const row of expected) counts.set(row, (counts.get(row) ?? 0) - 1);
  for (const row of found) counts.set(row, (counts.get(row) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(
      ([row, count]) =>
        `${count < 0 ? 'missing' : 'too many'}${Math.abs(count) > 1 ? ` (${Math.abs(count)})` : ''}: ${row}`,
    )
    .sort();
}
