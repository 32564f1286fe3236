// Tables against results recorded from Kafka Streams: joins of two tables, and of a stream with a
// table on arrival.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness2 } from '../../testing/index.ts';

type Side = 'L' | 'R';
type Result = readonly [value: string | null, timestamp: number] | null;
interface Recorded {
  readonly inputs: readonly (readonly [side: Side, key: string, value: string | null, timestamp: number])[];
  readonly inner: readonly Result[];
  readonly left: readonly Result[];
  readonly outer: readonly Result[];
  readonly stream: readonly Result[];
}
/** The input as a text table. Its head names the columns. */
function read(): Recorded {
  const text = readFileSync(new URL('kafka-streams-tables.txt', import.meta.url), 'utf8');
  const lines = text.trimEnd().split('\n').slice(3);
  const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  const nullable = (value: string): string | null => (value === 'null' ? null : value);
  const results = (column: number): Result[] =>
    cells.map((row) => {
      if (row[column] === '-') return null;
      const [value, time] = row[column]!.split('@') as [string, string];
      return [nullable(value), Number(time)];
    });
  const inputs = cells.map(([input]) => {
    const [side, key, value, time] = input!.split(' ') as [Side, string, string, string];
    return [side, key, nullable(value), Number(time)] as const;
  });
  return { inputs, inner: results(1), left: results(2), outer: results(3), stream: results(4) };
}
const recorded = read();

interface Row {
  readonly k: string;
  readonly v: string | null;
}
/** A row without a value is a tombstone. */
const tableOf = (rows: Stream<Row>) =>
  rows
    .keyBy('k')
    .toTable()
    .map((row) => row.v);
const joined = (left: string | null | undefined, right: string | null | undefined): string =>
  `${left ?? null}/${right ?? null}`;

for (const kind of ['inner', 'left', 'outer'] as const)
  test(`a join of two tables (${kind}) changes when Kafka Streams' does, with the same row and time`, () => {
    const driven = harness2((left: Stream<Row>, right: Stream<Row>) =>
      tableOf(left).join(tableOf(right), kind).select(joined).toStream(),
    );
    const rows = new Map<string, string>();
    recorded.inputs.forEach(([side, k, v, timestamp], index) => {
      driven[side === 'L' ? 'left' : 'right']({ k, v }, timestamp);
      const came = driven.output().map((item) => 'element' in item && { ...item.element, timestamp: item.timestamp });
      const result = recorded[kind][index]!;
      const old = rows.get(k);
      // Kafka Streams also sends a tombstone for a row that never existed. Here a delete needs a
      // row.
      const isNothing = result === null || (result[0] === null && old === undefined);
      const change = result?.[0] === null ? 'delete' : old === undefined ? 'insert' : 'update';
      const former = old === undefined ? {} : { former: old };
      const expected = isNothing ? [] : [{ kind: change, row: result[0] ?? old, ...former, timestamp: result[1] }];
      assert.deepEqual(came, expected, `input ${index}: ${JSON.stringify(recorded.inputs[index])}`);
      if (result?.[0] === null) rows.delete(k);
      else if (result) rows.set(k, result[0]);
    });
    driven.close();
  });

test("a join of a stream with a table on arrival gives what Kafka Streams' left join does", () => {
  const driven = harness2((left: Stream<Row>, right: Stream<Row>) =>
    left
      .keyBy('k')
      .temporalJoin(tableOf(right), { time: 'arrival' })
      .select((row, version) => ({ ...row, joined: joined(row.v, version) }))
      // A stream's record without a value is no record to Kafka Streams.
      .filter((row) => row.v !== null),
  );
  recorded.inputs.forEach(([side, k, v, timestamp], index) => {
    driven[side === 'L' ? 'left' : 'right']({ k, v }, timestamp);
    const [came] = driven.output();
    const result = came && 'element' in came ? [came.element.joined, came.timestamp] : null;
    assert.deepEqual(result, recorded.stream[index], `input ${index}: ${JSON.stringify(recorded.inputs[index])}`);
  });
  driven.close();
});
