// Random joins of two streams with results recorded from Kafka Streams 3.9.1
// (recorder/KafkaJoins.java).
// The pairs are the same. The records without a partner are the same, each once. Kafka emits the
// latter later: with the next record after the window has closed, or one after that. Their
// timestamp in Kafka is that of the record.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness2 } from '../../testing/index.ts';
import type { Case } from './recorder/random-kafka-joins.ts';

interface Element {
  readonly key: string;
  readonly id: number;
}
type Row = readonly [timestamp: number, left: number | null, right: number | null];
type Recorded = Case & { readonly expected: readonly (readonly Row[])[] };

const recorded = readFileSync(new URL('./recorded-kafka.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

/**
 * Stream time is the greatest timestamp so far. A window closes when stream time is past its end
 * plus the grace period.
 */
function play({ join, lower, upper, grace, ops }: Case): Row[] {
  const joined = harness2((left: Stream<Element>, right: Stream<Element>) => {
    const [l, r] = [left.keyBy('key'), right.keyBy('key')];
    const pairs = join === 'inner' ? l.intervalJoin(r) : l.intervalJoin(r, join);
    return pairs
      .between(`${lower}ms`, `${upper}ms`)
      .select((a?: Element, b?: Element) => [a?.id ?? null, b?.id ?? null]);
  });
  let streamTime = -Infinity;
  for (const [side, key, timestamp, id] of ops) {
    streamTime = Math.max(streamTime, timestamp);
    joined.leftWatermark(streamTime - grace - 1);
    joined.rightWatermark(streamTime - grace - 1);
    joined[side === 'l' ? 'left' : 'right']({ key, id }, timestamp);
  }
  assert.deepEqual(joined.late(), []);
  const timeOf = new Map<number | null, number>(ops.map(([, , timestamp, id]) => [id, timestamp]));
  const rows = joined.output().flatMap((item): Row[] => {
    if (!('element' in item)) return [];
    const [left = null, right = null] = item.element;
    if (right === null) assert.equal(item.timestamp, timeOf.get(left)! + upper);
    else if (left === null) assert.equal(item.timestamp, timeOf.get(right)! - lower);
    return [[Math.max(timeOf.get(left) ?? -Infinity, timeOf.get(right) ?? -Infinity), left, right]];
  });
  joined.close();
  return rows;
}

test(`${recorded.length} random joins give all that Kafka Streams gave`, () => {
  let alone = 0;
  for (const one of recorded) {
    const expected = one.expected.flat();
    alone += expected.filter(([, left, right]) => left === null || right === null).length;
    assert.deepEqual(
      play(one).map(String).sort(),
      expected.map(String).sort(),
      JSON.stringify({ ...one, expected: 0 }),
    );
  }
  assert.ok(alone > recorded.length, 'hardly a record is without a partner');
});
