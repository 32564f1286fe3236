// What a task writes at the barrier at once, before records flow again, is small: its own scalars,
// and the splits of a source. All else is written in slices.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { pattern, session, sliding, type Stream, sum, tumbling, valueState } from '../../index.ts';
import { packSplits } from '../../connectors/kafka/saved-splits.ts';
import type { SplitPosition } from '../../connectors/kafka/split.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { segmentValue, valueSegment } from '../../state/segment.ts';
import { harness2 } from '../../testing/index.ts';

interface Sale {
  readonly shop: string;
  readonly amount: number;
}
type Build = (left: Stream<Sale>, right: Stream<Sale>) => unknown;
const rising = pattern<Sale>('low').followedBy('high');
const programs: Readonly<Record<string, Build>> = {
  aggregate: (left) => left.keyBy('shop').aggregate({ total: sum('amount') }),
  tumbling: (left) =>
    left
      .keyBy('shop')
      .window(tumbling('10ms'))
      .aggregate({ total: sum('amount') }),
  sliding: (left) =>
    left
      .keyBy('shop')
      .window(sliding('20ms', '5ms'))
      .aggregate({ total: sum('amount') }),
  session: (left) =>
    left
      .keyBy('shop')
      .window(session('10ms'))
      .aggregate({ total: sum('amount') }),
  process: (left) =>
    left.keyBy('shop').process({
      state: { seen: valueState<number>() },
      onElement({ amount }, { state, timers, timestamp }) {
        state.seen.set(amount);
        timers.eventTime(timestamp + 7);
        timers.processingTime(timestamp + 7_000_000);
      },
      onTimer: () => undefined,
    }),
  windowJoin: (left, right) =>
    left
      .keyBy('shop')
      .join(right.keyBy('shop'), 'outer')
      .window(tumbling('10ms'))
      .select((l, r) => [l, r]),
  intervalJoin: (left, right) =>
    left
      .keyBy('shop')
      .intervalJoin(right.keyBy('shop'))
      .between('-4ms', '4ms')
      .select((l, r) => [l, r]),
  pattern: (left) =>
    left
      .keyBy('shop')
      .pattern(rising)
      .select((match) => match),
};

for (const [name, build] of Object.entries(programs))
  test(`${name}: of 3,000 keys, nothing is among what is written at once`, () => {
    const driven = harness2<Sale, Sale, unknown>(build as never);
    for (let n = 0; n < 3_000; n++) {
      driven.left({ shop: `shop ${n}`, amount: n }, n % 10);
      driven.right({ shop: `shop ${n}`, amount: n }, n % 10);
    }
    const tasks = segmentValue(driven.snapshot()) as [string, TaskSnapshot][];
    assert.ok(tasks.some(([, { groups }]) => groups.size === 128));
    for (const [task, { value, splits, broadcast }] of tasks) {
      assert.ok((value?.length ?? 0) < 512, `${task}: ${value?.length} bytes`);
      assert.deepEqual([splits, broadcast], [undefined, undefined]);
    }
    driven.close();
  });

test('a split of a topic has at most 300 bytes: a source of 10,000 partitions writes 3 MB at once', () => {
  const count = 10_000;
  const positions = Array.from({ length: count }, (_, partition): SplitPosition => ({
    ...{ topic: 'orders-of-all-shops', partition, offset: 2 ** 45 + partition },
    ...{ topicId: 'abcdefghijklmnopqrstuv', epoch: 1_000_000 + partition },
  }));
  const partitions = positions.map(({ partition }) => ({ name: String(partition), newest: 1.7e12, isIdle: false }));
  const time = { combined: 1.7e12, isIdle: false, partitions };
  const { splits } = packSplits(positions, [], time);
  assert.equal(splits.size, count);
  const { length } = valueSegment(splits, 'splits');
  assert.ok(length < 300 * count, `${length / count} bytes each`);
});
