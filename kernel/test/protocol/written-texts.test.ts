// What the status of an armed sink says of its rows.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { writtenTexts } from '../../protocol/written-texts.ts';

const sink = { armed: true, target: 'topic alerts' };
const count = (n: number): string => n.toLocaleString('en-US');

test('a sink says how many rows it has written, of them committed, and what is open', () => {
  assert.deepEqual(writtenTexts(sink, count), ['0 rows written to topic alerts']);
  assert.deepEqual(writtenTexts({ ...sink, written: 1, acknowledged: '12:04:31' }, count), [
    '1 row written to topic alerts',
    'last acknowledged 12:04:31',
  ]);
  assert.deepEqual(
    writtenTexts(
      { ...sink, written: 1204, committed: 1000, uncommittedSince: '12:04:30', acknowledged: '12:04:31' },
      count,
    ),
    [
      '1,204 rows written to topic alerts, 1,000 committed',
      'transaction open since 12:04:30',
      'last acknowledged 12:04:31',
    ],
  );
});
