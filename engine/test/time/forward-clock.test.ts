// Processing time goes forward when the wall clock is set back.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ForwardClock } from '../../contract/clock.ts';

function clocks(start: number): { readonly wall: { time: number }; readonly clock: ForwardClock } {
  const wall = { time: start };
  return { wall, clock: new ForwardClock({ now: () => wall.time }) };
}

test('it follows the wall clock', () => {
  const { wall, clock } = clocks(100);
  assert.equal(clock.now(), 100);
  wall.time = 250;
  assert.equal(clock.now(), 250);
});

test('a wall clock that is set back neither stops nor turns time', () => {
  const { wall, clock } = clocks(10_000);
  clock.now();
  wall.time = 4_000;
  assert.equal(clock.now(), 10_000);
  wall.time = 4_700;
  assert.equal(clock.now(), 10_700, 'a time to live is over as soon as it would have been');
});

test('a state from later than the wall clock goes on from its own time', () => {
  const { wall, clock } = clocks(4_000);
  clock.goOnFrom(10_000);
  assert.equal(clock.now(), 10_000);
  wall.time = 4_500;
  assert.equal(clock.now(), 10_500);
});

test('a state from before leaves the time of the wall clock: the time that it was down counts', () => {
  const { clock } = clocks(10_000);
  clock.goOnFrom(4_000);
  assert.equal(clock.now(), 10_000);
});
