// The rows that a job did not write, as errors at its end.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { unwrittenRows } from '../../job/unwritten.ts';
import { report } from '../session/reports.ts';

test('each sink with rows in flight is an error with their number and the reason', () => {
  const sink = (id: string, status: object, more: object = {}) =>
    report(id, { kind: 'kafkaSink', recordsIn: 3000, status: { entries: 0, ...status }, ...more });
  assert.deepEqual(
    unwrittenRows([
      sink('out/to t', { inFlight: 1250, waiting: 't[2] has no leader' }),
      sink('slow/to u', { inFlight: 1 }),
      sink('away/to y', { inFlight: 0, waiting: 'broker h:1 is away' }, { recordsIn: 0, unwritten: 3 }),
      sink('busy/to z', { inFlight: 0 }, { unwritten: 7 }),
      sink('fine/to v', { inFlight: 0 }),
      sink('done/to w', { inFlight: 0 }, { finished: true }),
      sink(
        'loose/to x',
        { inFlight: 0, rowsLost: 1200, lostBecause: 'to() has acks: 0 and does not send again' },
        { finished: true },
      ),
      sink('own/to w', { inFlight: 0, rowsLost: 5 }),
      report('call/mapAsync', { kind: 'mapAsync', status: { entries: 0, inFlight: 4 } }),
    ]).map(({ cell, error }) => [cell, error.code, error.message]),
    [
      ['out', 'rows-unwritten', '"to t": 1,250 of 3,000 rows are not written: t[2] has no leader.'],
      ['slow', 'rows-unwritten', '"to u": 1 of 3,000 rows are not written: its target did not acknowledge them.'],
      ['away', 'rows-unwritten', '"to y": 3 of 3 rows are not written: broker h:1 is away.'],
      ['loose', 'rows-lost', '"to x": 1,200 of 3,000 rows are lost, because to() has acks: 0 and does not send again.'],
      ['own', 'rows-lost', '"to w": 5 of 3,000 rows are lost.'],
    ],
  );
});
