// The batch computation of the chaos by hand, and the law of its input: nothing is late in any
// order in which the partitions are read.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { batchResult, type InputRecord } from './batch-result.ts';
import { boundMillis, type Event, lastMessages, messagesOf } from './input.ts';

const record = (partition: number, offset: number, value: unknown): InputRecord => ({
  ...{ partition, offset },
  value: typeof value === 'string' ? value : JSON.stringify(value),
});
const parsed = (rows: readonly string[]): unknown[] => rows.map((row) => JSON.parse(row) as unknown);

test('sums by window and by key, pairs with both bounds, and what cannot be read', () => {
  const rows = batchResult([
    record(0, 2, { n: 3, at: 5_000, k: 'a', side: 'right' }),
    record(0, 0, { n: 1, at: 3_000, k: 'a', side: 'left' }),
    record(0, 1, { n: 2, at: 1_000, k: 'a', side: 'right' }),
    record(0, 3, { n: 4, at: 5_001, k: 'a', side: 'right' }),
    record(0, 4, 'not JSON'),
    record(1, 0, { n: 5 }),
    record(0, 5, { n: 6, at: 4_999 + 1 + boundMillis, k: 'end', side: 'left' }),
    record(1, 1, { n: 7, at: 1e6, k: 'far', side: 'left' }),
  ]);
  assert.deepEqual(parsed(rows.windows), [{ to: 'windows', k: 'a', start: 0, c: 2, s: 3 }]);
  assert.deepEqual(
    parsed(rows.rolling).map((row) => Object.values(row as Record<string, unknown>).slice(1)),
    [
      ['a', 1, 1],
      ['a', 2, 3],
      ['a', 3, 6],
      ['a', 4, 10],
      ['end', 1, 6],
      ['far', 1, 7],
    ],
  );
  assert.deepEqual(
    parsed(rows.joins).map((row) => Object.values(row as Record<string, unknown>).slice(1)),
    [
      ['a', 1, 2],
      ['a', 1, 3],
    ],
  );
  assert.deepEqual(parsed(rows.errors), [
    { to: 'errors', partition: 0, offset: '4', raw: 'not JSON' },
    { to: 'errors', partition: 1, offset: '0', raw: '{"n":5}' },
  ]);
  assert.deepEqual(rows.late, []);
});

test('a window at whose end time has not arrived has no row', () => {
  const at = 5_000 + boundMillis - 1;
  const rows = batchResult([record(0, 0, { n: 1, at: 0, k: 'a' }), record(0, 1, { n: 2, at, k: 'a' })]);
  assert.deepEqual(rows.windows, []);
});

test('of one partition it knows what is late for its window', () => {
  const rows = batchResult([
    record(0, 0, { n: 1, at: 24_999, k: 'a', side: 'left' }),
    record(0, 1, { n: 2, at: 35_000, k: 'a', side: 'left' }),
    // The watermark is 24,999 from here on, and the window from 20,000 is closed.
    record(0, 2, { n: 3, at: 24_998, k: 'a', side: 'right', isBehind: true }),
    record(0, 3, { n: 4, at: 25_000, k: 'a', side: 'right' }),
    record(0, 4, { n: 5, at: 45_000, k: 'a', side: 'right' }),
  ]);
  assert.deepEqual(parsed(rows.late), [{ to: 'late', for: 'windows', n: 3 }]);
  assert.deepEqual(
    parsed(rows.windows).map((row) => Object.values(row as Record<string, unknown>).slice(2)),
    [
      [20_000, 1, 1],
      [25_000, 1, 4],
    ],
  );
  assert.equal(rows.rolling.length, 5);
  assert.deepEqual(
    parsed(rows.joins).map((row) => Object.values(row as Record<string, unknown>).slice(2)),
    [[1, 4]],
  );
});

/**
 * What a partition has in the end, in its order. `added`: rounds in which one more partition
 * begins.
 */
function partitions(rounds: number, added: readonly number[]): Event[][] {
  const all: Event[][] = [];
  let sent = 0;
  let count = 2;
  const take = (messages: ReturnType<typeof messagesOf>): void => {
    sent += messages.length;
    for (const { partition, value } of messages) {
      const event = value.startsWith('{') ? (JSON.parse(value) as Event) : undefined;
      if (event?.at !== undefined) (all[partition] ??= []).push(event);
    }
  };
  for (let round = 0; round < rounds; round++) {
    if (added.includes(round)) count++;
    take(messagesOf(round, sent, count, { hasLate: false }));
  }
  take(lastMessages(rounds, sent, count));
  return all;
}

test('no record is late, whatever partition is read next', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 3 }), fc.infiniteStream(fc.nat()), (added, next) => {
      const rest = partitions(20, added).map((events) => [...events]);
      const newest = rest.map(() => -Infinity);
      for (const choice of next) {
        const open = rest.flatMap((events, partition) => (events.length > 0 ? [partition] : []));
        if (open.length === 0) break;
        const partition = open[choice % open.length]!;
        const { at } = rest[partition]!.shift()!;
        assert.ok(at > Math.min(...newest) - boundMillis - 1, 'the watermark has passed it');
        newest[partition] = Math.max(newest[partition]!, at);
      }
    }),
  );
});

test('a partition whose first round other partitions have only begun is not late, though nobody knows it yet', () => {
  const rounds = 12;
  const known = partitions(rounds, []).map((events) => events.slice(0, -1));
  // They are read to the end of the round in which the new partition begins.
  const watermark = Math.min(...known.map((events) => Math.max(...events.map(({ at }) => at)))) - boundMillis - 1;
  const begun = partitions(rounds, [rounds - 1])[2]!;
  assert.ok(begun.every(({ at }) => at > watermark));
});
