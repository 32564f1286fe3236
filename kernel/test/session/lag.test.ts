// The lag of a cell as a short text, and of each of its partitions.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { lagOf } from '../../session/lag.ts';
import { liveSource, report } from './reports.ts';

test('the lag is the number of records that wait and the age of the last one that was read', () => {
  const shown = (...given: readonly (readonly [number | undefined, number?, number?])[]): string | undefined => {
    const partitions = given.map(([lag, lagMillis, aheadMillis], index) => ({
      ...{ partition: String(index), idle: false },
      ...(lag !== undefined && { lag }),
      ...(lagMillis !== undefined && { lagMillis }),
      ...(aheadMillis !== undefined && { aheadMillis }),
    }));
    return lagOf([report('orders/source', { source: { ...liveSource, partitions } })])?.text;
  };
  assert.equal(shown([8_200, 276_000], [2_700, 3_000], [0]), 'lag 10.9 k (4 min 36 s)');
  assert.equal(shown([1_200, 35_000]), 'lag 1.2 k (35 s)');
  assert.equal(shown([1_200]), 'lag 1.2 k', 'nothing was read yet');
  assert.equal(shown([1_200, 400]), undefined, 'they arrived a moment ago');
  assert.equal(shown([0], [undefined]), undefined);
  assert.equal(shown([2, 0, 3_600_000]), 'lag 2 (timestamps are 1 h ahead of the clock)');
  assert.equal(shown([2, 0, 400]), undefined, 'clocks of two machines differ a little');
  assert.equal(shown([2, 0, 3_600_000], [3, 9_000]), 'lag 5 (9 s)', 'the oldest record counts');
});

test('each partition that lags is named, the largest first', () => {
  const partitions = [3, 900, 0, 8_200, 5, 6, 7].map((lag, index) => ({
    ...{ partition: String(index), idle: false, lag },
    ...(lag === 8_200 && { lagMillis: 276_000 }),
  }));
  const operators = [report('orders/source', { name: 'orders', source: { ...liveSource, partitions } })];
  assert.deepEqual(lagOf(operators)?.partitions, [
    'orders[3]: 8.2 k (4 min 36 s)',
    'orders[1]: 900',
    'orders[6]: 7',
    'orders[5]: 6',
    'orders[4]: 5',
    'and 1 more',
  ]);
});
