// Two harnesses that share the keys act as two instances of parallel operators. Together they give
// the output of one.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { mapState, pattern, sum, type Stream, tumbling, valueState } from '../../index.ts';
import { type DrivenHarness, harnessOf } from '../../testing/harness.ts';
import { mergedSnapshot, type Share } from '../../testing/key-share.ts';
import type { OneInputHarness, TwoInputHarness } from '../../testing/index.ts';

interface Sale {
  readonly shop: string;
  readonly amount: number;
}
type Build = (left: Stream<Sale>, right: Stream<Sale>) => unknown;
type Instance = OneInputHarness<unknown, unknown> & TwoInputHarness<unknown, unknown, unknown> & DrivenHarness<unknown>;
const halves: readonly Share[] = [(group) => group < 64, (group) => group >= 64];
const start = (build: Build, share?: Share, restore?: Uint8Array): Instance =>
  harnessOf(2, build as never, { ...(share && { share }), ...(restore && { restore }) });

const rows = (one: Instance): string[] =>
  one.output().map((item) => ('element' in item ? JSON.stringify([item.element, item.timestamp]) : ''));
const together = (instances: readonly Instance[]): string[] => instances.flatMap(rows).sort();
const shops = Array.from({ length: 40 }, (_, n) => `shop ${n}`);

const joined: Build = (left, right) =>
  left
    .keyBy('shop')
    .join(right.keyBy('shop'), 'outer')
    .window(tumbling('1s'))
    .select((l, r) => [l?.shop ?? r?.shop, l?.amount, r?.amount]);

test('each key is in one of the two, and together they give what one gives', () => {
  const one = start(joined);
  const two = halves.map((share) => start(joined, share));
  for (const each of [one, ...two]) {
    shops.forEach((shop, n) => each.left({ shop, amount: n }, n));
    shops.slice(20).forEach((shop, n) => each.right({ shop, amount: -n }, 100 + n));
  }
  const kept = two.map((each) => each.entries());
  assert.ok(
    kept.every((entries) => entries > 0),
    String(kept),
  );
  assert.equal(kept[0]! + kept[1]!, one.entries());
  for (const each of [one, ...two]) {
    each.leftWatermark(2000);
    each.rightWatermark(2000);
  }
  const expected = rows(one).sort();
  assert.equal(expected.length, 40);
  assert.deepEqual(together(two), expected);
});

test('the snapshot of one goes on in two, and that of two in one', () => {
  const totals: Build = (left) => left.keyBy('shop').aggregate({ total: sum('amount') });
  let instances = [start(totals)];
  const expected = shops.map((shop) => JSON.stringify([{ shop, total: 4 }, 3]));
  for (let round = 0; round < 4; round++) {
    const snapshot = mergedSnapshot(instances.map((each) => each.snapshot()));
    instances =
      instances.length === 1
        ? halves.map((share) => start(totals, share, snapshot))
        : [start(totals, undefined, snapshot)];
    for (const each of instances) for (const shop of shops) each.left({ shop, amount: 1 }, round);
    if (round < 3) together(instances);
  }
  assert.deepEqual(together(instances), expected.sort());
});

test('what keys can share is known from the plan', () => {
  const first = pattern<Sale>('first').where(({ amount }) => amount > 1);
  const shareable: Record<string, Build> = {
    'behind operators that look at one element': (left, right) =>
      left
        .union(right)
        .filter(({ amount }) => amount > 0)
        .keyBy('shop')
        .pattern(first)
        .select((match) => match),
    'tables, whose changes carry their key': (left, right) =>
      left
        .keyBy('shop')
        .toTable()
        .filter(({ amount }) => amount > 0)
        .join(right.keyBy('shop').toTable())
        .select((l, r) => [l, r])
        .toStream(),
    'a stream and a table': (left, right) =>
      left
        .keyBy('shop')
        .temporalJoin(right.keyBy('shop').toTable())
        .select((l, r) => [l, r]),
    'one key for everything': (left) => left.windowAll(tumbling('1s')).aggregate({ total: sum('amount') }),
  };
  const notShareable: Record<string, Build> = {
    'no key at all': (left) => left.map(({ amount }) => amount),
    'a second key': (left) =>
      left
        .keyBy('shop')
        .aggregate({ total: sum('amount') })
        .keyBy('total')
        .aggregate({ sum: sum('total') }),
    'a union of what has met its key and what has not': (left, right) =>
      left
        .keyBy('shop')
        .aggregate({ amount: sum('amount') })
        .union(right),
    'broadcast state': (left, right) =>
      left
        .keyBy('shop')
        .connect(right.broadcast())
        .process({ broadcast: { m: mapState<string, number>() }, onElement: () => [1], onBroadcast: () => [2] }),
    'an iteration': (left) =>
      left
        .iterate((loop) => ({ feedback: loop.filter(({ amount }) => amount < 0), output: loop }))
        .keyBy('shop')
        .process({ state: { n: valueState<number>() }, onElement: () => [1] }),
  };
  for (const [name, build] of Object.entries(shareable)) assert.ok(start(build).isShareable, name);
  for (const [name, build] of Object.entries(notShareable)) assert.ok(!start(build).isShareable, name);
});
