// The schedule of the chaos: the seed repeats it, and each block of kills has what it must have.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { failpoints } from '../../../engine/contract/failpoints.ts';
import { block, cut, isKill, type Life, lives } from './schedule.ts';

const cells = ['a', 'b'];
const first = (seed: number, kills: number): Life[] => [...cut(lives(seed, cells), kills)];
const killsOf = (all: readonly Life[]): number =>
  all.reduce((sum, { moves }) => sum + 1 + moves.filter(isKill).length, 0);
const movesOf = (all: readonly Life[], kind: string): number =>
  all.flatMap(({ moves }) => moves).filter((move) => move.kind === kind).length;

test('a seed gives one schedule, and another seed another one', () => {
  assert.deepEqual(first(7, 60), first(7, 60));
  assert.notDeepEqual(first(7, 20), first(8, 20));
});

test('each block has every failpoint, two kills of the broker, and kills of the executor', () => {
  assert.equal(block, 20);
  for (let seed = 1; seed <= 50; seed++) {
    const all = first(seed, 3 * block);
    assert.equal(killsOf(all), 3 * block);
    assert.equal(movesOf(all, 'broker'), 6);
    assert.equal(movesOf(all, 'executor'), 15);
    assert.equal(movesOf(all, 'add-partition'), 6);
    const named = all.flatMap(({ end }) => (end.kind === 'failpoint' ? [end.name] : []));
    assert.deepEqual(named.toSorted(), [...failpoints, ...failpoints, ...failpoints].sort());
  }
});

test('a cut has exactly so many kills, and an executor is killed only in a life that ends after a time', () => {
  for (let kills = 1; kills <= 45; kills++) assert.equal(killsOf(first(kills, kills)), kills, String(kills));
  for (const { moves, end } of first(3, 200))
    if (end.kind === 'failpoint') assert.ok(moves.every(({ kind }) => kind !== 'executor'));
});

test('without additions and failpoints the schedule has none of them, and the same number of kills', () => {
  const options = { withoutFailpoints: true, withoutAdditions: true };
  const all = [...cut(lives(3, cells, options), 2 * block)];
  assert.equal(killsOf(all), 2 * block);
  assert.equal(movesOf(all, 'add-partition'), 0);
  assert.ok(all.every(({ end }) => end.kind === 'kernel'));
  const [plain, without] = [first(3, block), [...cut(lives(3, cells, { withoutAdditions: true }), block)]];
  assert.deepEqual(
    without.map(({ end }) => end),
    plain.map(({ end }) => end),
  );
});
