// Shares and rates cover the last second. An open interval counts, and time that waits for the
// thread does not.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Accounting, Rate } from '../../runtime/accounting.ts';

test('busy, idle and backpressured add up to 1, and time without the thread is left out', () => {
  const accounting = new Accounting(0);
  accounting.enter('busy', 0);
  accounting.enter('ready', 300);
  accounting.enter('backpressured', 600);
  accounting.enter('idle', 900);
  const { busy, idle, backpressured } = accounting.shares(999);
  assert.ok(Math.abs(busy + idle + backpressured - 1) < 1e-9);
  assert.deepEqual(
    [busy, backpressured].map((share) => share.toFixed(3)),
    [(300 / 699).toFixed(3), (300 / 699).toFixed(3)],
  );
});

test('an operator that is blocked right now shows it although the interval has no end yet', () => {
  const accounting = new Accounting(0);
  accounting.enter('backpressured', 0);
  assert.equal(accounting.shares(5000).backpressured, 1);
});

test('what was more than a second ago is forgotten', () => {
  const accounting = new Accounting(0);
  accounting.enter('busy', 0);
  accounting.enter('idle', 1000);
  assert.equal(accounting.shares(2200).busy, 0);
});

test('a fast stream shows the last second, a slow one the last five', () => {
  const fast = new Rate(0);
  for (let t = 0; t < 3000; t += 10) fast.sample(t < 2000 ? t : 2000 + (t - 2000) * 2, t);
  assert.ok(Math.abs(fast.perSecond(4000, 3000) - 2000) < 40, String(fast.perSecond(4000, 3000)));
  const slow = new Rate(0);
  for (let n = 0; n <= 10; n++) slow.sample(n, n * 1000);
  assert.ok(Math.abs(slow.perSecond(10, 10_000) - 1) < 0.25, String(slow.perSecond(10, 10_000)));
  assert.ok(slow.perSecond(10, 16_000) < 0.05, 'a stream that has come to rest is at 0');
});

test('the first records count from the start, not from nothing', () => {
  const rate = new Rate(0);
  assert.equal(rate.perSecond(100, 500), 200);
});
