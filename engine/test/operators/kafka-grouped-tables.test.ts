// Groups of a table against random changes recorded from Kafka Streams 4.3.1
// (recorder/KafkaGroupedTables.java): the same groups change, in the same order, with the same rows
// and times.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { collect, count, max, min, type Stream, sum, type TableChange } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import type { Case } from './recorder/random-grouped-tables.ts';

type Recorded = Case & {
  readonly expected: readonly (readonly (readonly [group: string, entries: string | null, timestamp: number])[])[];
};
const recorded = readFileSync(new URL('kafka-grouped-tables.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

interface Row {
  readonly key: string;
  readonly group: string | null;
  readonly value: number;
}
const build = (rows: Stream<Row>) =>
  rows
    .keyBy('key')
    .toTable()
    .filter(({ group }) => group !== null)
    .groupBy('group')
    .aggregate({
      entries: collect(({ key, value }) => `${key}=${value}`),
      n: count(),
      sum: sum('value'),
      min: min('value'),
      max: max('value'),
    })
    .toStream();

/** The row of a group from the entries that Kafka Streams has added and subtracted. */
function rowOf(group: string, text: string): object {
  const entries = text.split(' ');
  const values = entries.map((entry) => Number(entry.split('=')[1]));
  return {
    ...{ group, entries, n: values.length, sum: values.reduce((total, value) => total + value, 0) },
    ...{ min: Math.min(...values), max: Math.max(...values) },
  };
}

test(`${recorded.length} random tables give the groups that Kafka Streams gave`, () => {
  for (const { ops, expected } of recorded) {
    const driven = harness(build);
    const rows = new Map<string, object>();
    ops.forEach(([key, group, value, timestamp], index) => {
      driven.element({ key, group, value }, timestamp);
      const came = driven.output().map((item) => {
        assert.ok('element' in item);
        return { ...(item.element as TableChange<object>), timestamp: item.timestamp };
      });
      const wanted = expected[index]!.map(([g, text, at]) => {
        const former = rows.get(g);
        const row = text === null ? undefined : rowOf(g, text);
        if (row) rows.set(g, row);
        else rows.delete(g);
        const kind = row === undefined ? 'delete' : former ? 'update' : 'insert';
        return { kind, row: row ?? former, ...(former && { former }), timestamp: at };
      });
      assert.deepEqual(came, wanted, `change ${index}: ${JSON.stringify(ops[index])}`);
    });
    driven.close();
  }
});
