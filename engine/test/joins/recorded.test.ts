// Random interval joins with results recorded from Flink 1.20.0 (recorder/FlinkIntervalJoins.java).
// Each op gives the same pairs with the same timestamps, the same late elements and the same
// watermarks. Here the partners of one element are in time order. Flink keeps them in a hash table,
// so its order has no meaning.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness2 } from '../../testing/index.ts';
import type { Case, Op } from './recorder/random-interval-joins.ts';

interface Element {
  readonly key: string;
  readonly at: number;
  readonly id: number;
}
type Pair = readonly [timestamp: number, left: number, right: number];
interface Given {
  readonly out: readonly Pair[];
  readonly watermarks: readonly (number | 'max')[];
  readonly late: readonly (readonly [timestamp: number, id: number])[];
}
type Recorded = Case & { readonly expected: readonly Given[] };

const recorded = readFileSync(new URL('./recorded.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

function play({ lower, upper, ops }: Case): Given[] {
  const joined = harness2((left: Stream<Element>, right: Stream<Element>) =>
    left
      .keyBy('key')
      .intervalJoin(right.keyBy('key'))
      .between(`${lower}ms`, `${upper}ms`)
      .select((l, r): [number, number] => [l.id, r.id]),
  );
  const say = (op: Op): void => {
    switch (op[0]) {
      case 'l':
        return joined.left({ key: op[1], at: op[2], id: op[3] }, op[2]);
      case 'r':
        return joined.right({ key: op[1], at: op[2], id: op[3] }, op[2]);
      case 'lw':
        return joined.leftWatermark(op[1] === 'max' ? Infinity : op[1]);
      case 'rw':
        return joined.rightWatermark(op[1] === 'max' ? Infinity : op[1]);
      case 'li':
        return joined.leftIdle();
      case 'ri':
        return joined.rightIdle();
      case 'la':
        return joined.leftActive();
      case 'ra':
        return joined.rightActive();
    }
  };
  const given = ops.map((op): Given => {
    say(op);
    const items = joined.output({ watermarks: true });
    return {
      out: items.flatMap((item) => ('element' in item ? [[item.timestamp, ...item.element]] : [])),
      watermarks: items.flatMap((item) =>
        'watermark' in item ? [item.watermark === Infinity ? 'max' : item.watermark] : [],
      ),
      late: joined.late().map(({ element, timestamp }) => [timestamp, (element as Element).id]),
    };
  });
  assert.equal(joined.entries(), 0);
  joined.close();
  return given;
}

/**
 * Flink's pairs. The partners of an element are in time order. Partners of equal time are already
 * in order.
 */
function inOrder({ ops, expected }: Recorded): Given[] {
  const timeOf = new Map(ops.flatMap((op) => (op[0] === 'l' || op[0] === 'r' ? [[op[3], op[2]] as const] : [])));
  return expected.map((given, index) => {
    const partner = ops[index]![0] === 'l' ? 2 : 1;
    const out = given.out.toSorted((a, b) => timeOf.get(a[partner])! - timeOf.get(b[partner])!);
    return { ...given, out };
  });
}

test(`${recorded.length} random interval joins give what Flink gave`, () => {
  let pairs = 0;
  for (const one of recorded) {
    pairs += one.expected.flatMap(({ out }) => out).length;
    assert.deepEqual(play(one), inOrder(one), JSON.stringify({ ...one, expected: undefined }));
  }
  assert.ok(pairs > recorded.length, 'the cases hardly join anything');
});
