// The control thread runs the effects of the session one by one. A failing effect stops no other.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { LiveSession } from './live-session.ts';

test('an observer that throws prevents no answer to a run, and the session goes on', async (t) => {
  const errors = vi.spyOn(console, 'error').mockReturnValue(undefined);
  t.onTestFinished(() => errors.mockRestore());
  let told = 0;
  await using session = new LiveSession({
    observer: {
      runEnded() {
        told++;
        throw new Error('the observer is broken');
      },
    },
  });
  session.edit('a', 'const a = 1;');
  session.edit('b', 'a + 1');
  await session.ran('a', 'b');
  await session.ran('b');
  assert.equal(told, 3);
  assert.match(String(errors.mock.calls[0]?.join(' ')), /run-ended failed .*the observer is broken/);
});
