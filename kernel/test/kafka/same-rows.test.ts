// Notebooks give the same committed rows in a live session and in the exported Node job. These are
// four of the set; `npm run same-rows` runs all of it.
import assert from 'node:assert/strict';
import { beforeAll, test } from 'vitest';
import { startOwnBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { type CommittedRecord, noText } from '../same-rows/committed-topics.ts';
import { countedRows, differences } from '../same-rows/differences.ts';
import { notebookNamed } from '../same-rows/notebooks.ts';
import { writeRecorded } from '../same-rows/recorded.ts';
import { sameRows } from '../same-rows/same-rows.ts';
import { targets } from '../same-rows/targets.ts';

const skip = whyNoKafka() !== undefined;
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));
beforeAll(async () => {
  if (!skip) await writeRecorded(client);
}, 300_000);

for (const name of ['joins', 'tables', 'process-with-timers', 'nulls-and-large-integers'])
  test(`${name}: the exported job commits the rows of the session`, { skip, timeout: 600_000 }, async () => {
    const [session, , node] = targets;
    const { faults } = await sameRows(notebookNamed(name), {
      ...{ client, brokers: broker.brokers },
      targets: [session!, node!],
    });
    assert.deepEqual(faults, []);
  });

test('a row with another time, header, key or partition is a difference', () => {
  const record = { partition: 0, offset: 3, timestamp: 12, headers: 'a:1', key: 'k', value: '{}' };
  const of = (kind: 'rows' | 'table', other: Partial<CommittedRecord>): readonly string[] =>
    differences(countedRows(kind, [record]), countedRows(kind, [{ ...record, ...other }]));
  assert.deepEqual(of('rows', { offset: 5 }), []);
  for (const other of [{ headers: 'a:2' }, { key: noText }, { partition: 1 }, { value: '{"n":1}' }])
    for (const kind of ['rows', 'table'] as const) assert.equal(of(kind, other).length, 2, JSON.stringify(other));
  assert.deepEqual(of('rows', { timestamp: 13 }), ['missing: 12 0 k {a:1}: {}', 'too many: 13 0 k {a:1}: {}']);
  assert.deepEqual(of('table', { timestamp: 13 }), [], 'the time of a row of a table is not fixed');
});

test('a row that is lost, doubled or wrong is a difference', () => {
  assert.deepEqual(differences(['a', 'b', 'b'], ['b', 'a', 'b']), []);
  assert.deepEqual(differences(['a', 'b', 'b', 'c'], ['a', 'a', 'b', 'd']), [
    'missing: b',
    'missing: c',
    'too many: a',
    'too many: d',
  ]);
});
