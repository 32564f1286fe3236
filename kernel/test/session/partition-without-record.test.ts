// A partition that has had no record is what holds time back: the reason names it at once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Flow } from '../../session/flow.ts';
import { asText, whyNothingComes } from '../../session/reasons.ts';
import { graph, liveSource, report } from './reports.ts';

const at = (clock: string): number => Date.parse(`2024-05-01T${clock}Z`);
const chain = graph(['orders/source:kafka', 'totals/window:windowAggregate'], ['orders/source > totals/window']);
const partition = (name: string, watermark?: number, end?: number) => ({
  ...{ partition: name, idle: false, silentMillis: 0 },
  ...(watermark !== undefined && { watermark }),
  ...(end !== undefined && { end }),
});

/** Partition 0 has records. `ends` are those of partitions without one. */
function named(ends: readonly (number | undefined)[], recordsOut = 0): string | undefined {
  const partitions = [
    partition('0', at('10:02:30')),
    ...ends.map((end, index) => partition(String(index + 1), undefined, end)),
  ];
  const status = { entries: 1, nextWindow: { start: at('10:02:00'), end: at('10:03:00') } };
  const operators = [
    report('orders/source', { name: 'orders', source: { ...liveSource, partitions } }),
    report('totals/window', { kind: 'windowAggregate', recordsIn: 5, recordsOut, status }),
  ];
  const pieces = whyNothingComes(new Flow(chain, operators), 'totals/window');
  return pieces && asText(pieces, at('10:02:50'), 'UTC');
}

test('a partition that has had no record is named at once, and all such partitions are counted', () => {
  const needs = '; the window 10:02:00–10:03:00 needs ≥ 10:03:00';
  assert.equal(named([undefined]), `waiting: partition orders[1] has had no record yet${needs}`);
  assert.equal(named([0], 3), `waiting: partition orders[1] has never had a record${needs}`);
  assert.equal(named([0, 7]), `waiting: partition orders[1] and another one have had no record yet${needs}`);
  assert.equal(named([0, 0, 0]), `waiting: partition orders[1] and 2 others have never had a record${needs}`);
});

test('without any record no partition is to blame', () => {
  assert.doesNotMatch(named([]) ?? '', /record/);
});
