// The sentences about checkpoints and restarts, as clients show them.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  cellCheckpointText,
  checkpointText,
  durabilityWarnings,
  failedCheckpointText,
  offerText,
  restartingText,
} from '../../protocol/durability-text.ts';

const now = 1_000_000_000;
const last = { id: 7, takenAt: now - 14_000, bytes: 3_100_000, millis: 40 };
const time = (): string => '12:04:31';

test('the last checkpoint has its age, size and duration; without one there is no text', () => {
  const text = (more: Partial<typeof last>, failed = 0): string | undefined =>
    checkpointText({ checkpoints: { completed: 7, failed, last: { ...last, ...more } } }, now);
  assert.equal(text({}), 'checkpoint 14 s ago · 3.1 MB in 40 ms');
  assert.equal(text({ takenAt: now + 500, bytes: 412, millis: 0.4 }), 'checkpoint 0 s ago · 412 B in 0 ms');
  assert.equal(text({ millis: 999.4 }), 'checkpoint 14 s ago · 3.1 MB in 999 ms');
  assert.equal(text({ millis: 999.6 }), 'checkpoint 14 s ago · 3.1 MB in 1 s');
  assert.equal(text({ millis: 64_000 }, 2), 'checkpoint 14 s ago · 3.1 MB in 1 min 4 s · 2 failed');
  assert.equal(checkpointText({ checkpoints: { completed: 0, failed: 0 } }, now), undefined);
  assert.equal(checkpointText({}, now), undefined);
});

test('a cell whose state is in the last checkpoint says how old and how large that is', () => {
  const checkpoints = { completed: 7, failed: 2, last };
  assert.deepEqual(cellCheckpointText({ checkpoints }, { isKept: true }, now), {
    text: 'checkpoint 14 s ago · 3.1 MB',
    details:
      'The last checkpoint of the notebook has the state of this cell.\n' +
      'Whole notebook: 3.1 MB, taken in 40 ms. 7 complete, 2 failed.',
  });
  const failing = cellCheckpointText(
    { checkpoints: { ...checkpoints, problem: 'The disk is full.' } },
    { isKept: true },
    now,
  )!;
  assert.equal(failing.text, 'checkpoint 14 s ago · 3.1 MB · failing');
  assert.match(failing.details, /\ncheckpoint failed: The disk is full\.$/);
  assert.equal(cellCheckpointText({ checkpoints }, {}, now), undefined, 'it keeps nothing');
  assert.equal(cellCheckpointText({ checkpoints: { completed: 0, failed: 0 } }, { isKept: true }, now), undefined);
  assert.equal(cellCheckpointText(undefined, { isKept: true }, now), undefined);
});

test('a failed checkpoint and a restart are warnings with their reason', () => {
  const checkpoints = { completed: 7, failed: 1, last, problem: 'The disk of /state is full.' };
  const restarting = { startsAt: now + 2_400, attempt: 2, cell: 'orders', cause: 'It broke.' };
  assert.equal(failedCheckpointText({ checkpoints }), 'checkpoint failed: The disk of /state is full.');
  assert.equal(restartingText({ restarting }, now), 'restarting in 3 s (attempt 2): orders: It broke.');
  assert.equal(restartingText({ restarting }, now + 5_000), 'restarting (attempt 2): orders: It broke.');
  assert.equal(durabilityWarnings({ checkpoints, restarting }, now).length, 2);
  assert.deepEqual(durabilityWarnings({}, now), []);
});

test('an offer names what cannot be read again, and checkpoints that are left out', () => {
  const sentence = 'This notebook has a checkpoint of 12:04:31.';
  assert.equal(offerText({ takenAt: now, lost: [] }, time), sentence);
  assert.equal(
    offerText({ takenAt: now, lost: ['from of totals'] }, time),
    `${sentence} from of totals cannot be read again: its cells go on without it.`,
  );
  assert.equal(
    offerText({ takenAt: now, lost: ['a', 'b'], skipped: ['Checkpoint 8 is left out.'] }, time),
    `${sentence} a, b cannot be read again: their cells go on without them. Checkpoint 8 is left out.`,
  );
});
