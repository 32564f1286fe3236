// Tooltips of the status bar stay open while figures move: VS Code is told of them every five
// seconds.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figuresMillis, StatusPace } from '../../session/status-pace.ts';

function rig() {
  let now = 0;
  let told = 0;
  let due: { readonly at: number; readonly callback: () => void }[] = [];
  const pace = new StatusPace(() => told++, {
    now: () => now,
    after: (millis, callback) => void due.push({ at: now + millis, callback }),
  });
  return {
    pace,
    get told() {
      return told;
    },
    pass(millis: number) {
      now += millis;
      const callbacks = due.filter(({ at }) => at <= now);
      due = due.filter(({ at }) => at > now);
      for (const { callback } of callbacks) callback();
    },
  };
}

test('figures are told every five seconds, and nothing is told twice', () => {
  const at = rig();
  at.pace.changed('live in 18.2 k/s late 0');
  assert.equal(at.told, 1);
  for (let second = 1; second < 5; second++) {
    at.pass(1_000);
    at.pace.changed(`live in ${String(410 + second)}/s late ${String(second)}`);
  }
  assert.equal(at.told, 1);
  at.pass(1_000);
  assert.equal(at.told, 2);
  at.pass(figuresMillis);
  at.pace.changed('live in 414/s late 4');
  assert.equal(at.told, 2);
});

test('a word is told at once, also while figures wait', () => {
  const at = rig();
  at.pace.changed('live in 1/s');
  at.pass(1_000);
  at.pace.changed('live in 2/s');
  at.pace.changed('failed');
  assert.equal(at.told, 2);
  at.pass(figuresMillis);
  assert.equal(at.told, 2);
  at.pace.changed('live in 2/s');
  assert.equal(at.told, 3);
});
