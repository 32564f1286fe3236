// How long until a time is reached, from how fast it moved.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Pace } from '../../executor/pace.ts';

const observed = (marks: readonly (readonly [now: number, time: number])[]): Pace => {
  const pace = new Pace();
  for (const [now, time] of marks) pace.observe(now, time);
  return pace;
};

test('a replay that is 1,800 times as fast reaches six hours in twelve seconds', () => {
  const pace = observed([0, 1, 2, 3].map((second) => [second * 1000, second * 1_800_000]));
  assert.equal(pace.millisTo(3 * 1_800_000 + 6 * 3_600_000), 12_000);
  assert.equal(pace.millisTo(0), 0, 'it is due');
});

test('a time that stands still, is new or has begun again tells nothing', () => {
  assert.equal(observed([]).millisTo(5), undefined);
  assert.equal(
    observed([
      [0, -Infinity],
      [2000, -Infinity],
    ]).millisTo(5),
    undefined,
  );
  assert.equal(
    observed([
      [0, 0],
      [500, 500],
    ]).millisTo(5000),
    undefined,
    'too short',
  );
  const still = Array.from({ length: 80 }, (_, at): [number, number] => [at * 1000, Math.min(at, 5) * 1000]);
  assert.equal(observed(still.slice(0, 20)).millisTo(10_000), (5000 * 19) / 5, 'it moved lately');
  assert.equal(observed(still).millisTo(10_000), undefined);
  assert.equal(
    observed([
      [0, 9000],
      [1000, 10_000],
      [1500, 0],
      [2000, 500],
    ]).millisTo(1000),
    undefined,
  );
});
