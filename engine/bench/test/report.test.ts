// The verdicts of the bench: which round counts, and whether a goal is reached.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { checkpointedJob } from '../checkpoints.ts';
import type { Measured, Side } from '../comparison.ts';
import { figureOf, ratiosOf, type Runs, verdictOf } from '../report.ts';

const measured = (seconds: number): Measured => ({
  records: 1,
  seconds,
  cpuSeconds: 2 * seconds,
  results: 1,
  checksum: 1,
});
const side = (name: string): Side => ({ name, run: () => Promise.reject(new Error(`${name} does not run here`)) });
/** One lucky round: 10 s where the others took 20 s. */
const runs: Runs = new Map([
  [side('sluice'), [20, 10, 20].map(measured)],
  [side('without'), [12, 16, 8].map(measured)],
]);

test('a lucky round decides among best rounds, and does not among medians', () => {
  const [best] = ratiosOf(runs);
  const [median] = ratiosOf(runs, 'median');
  assert.deepEqual([best!.byClock, best!.byCpu], [0.8, 0.8]);
  assert.deepEqual([median!.byClock, median!.byCpu], [0.6, 0.6]);
  const even: Runs = new Map([...runs].map(([one, rounds]) => [one, rounds.slice(0, 2)]));
  assert.equal(ratiosOf(even, 'median')[0]!.byClock, 14 / 15);
});

test('a figure is within its bound by the round that counts', () => {
  const pause = { name: 'pause', unit: 'ms', most: 50 };
  assert.deepEqual(figureOf([90, 20, 80], pause), { value: 20, isReached: true });
  assert.deepEqual(figureOf([90, 20, 80], pause, 'median'), { value: 80, isReached: false });
  assert.deepEqual(figureOf([50], pause, 'median'), { value: 50, isReached: true });
  const rate = { name: 'rate', unit: '1/s', least: 5 };
  assert.deepEqual(figureOf([3, 6, 4], rate), { value: 6, isReached: true });
  assert.deepEqual(figureOf([3, 6, 4], rate, 'median'), { value: 4, isReached: false });
});

test('a ratio that only the CPU time reaches says so', () => {
  assert.equal(verdictOf(0.85, 0.85, 0.1), 'reached');
  assert.equal(verdictOf(0.85, 0.84, 0.9), 'reached by CPU only');
  assert.equal(verdictOf(0.85, 0.84, NaN), 'NOT reached');
});

test('checkpoints have a goal for the rate and one for the longest pause, and the median counts', () => {
  const { counts, limit, figures } = checkpointedJob;
  assert.deepEqual([counts, limit.goal], ['median', 0.85]);
  assert.deepEqual(
    figures!.filter(({ name }) => name.startsWith('longest pause')).map(({ name, most }) => [name, most]),
    [
      ['longest pause', 50],
      ['longest pause by the clock', 50],
    ],
  );
});
