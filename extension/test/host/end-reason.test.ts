// The reason of an end that this window asked for.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { endReason } from '../../session/end-reason.ts';

test('a window that asked for the end hears of the rows that end with the session', () => {
  const rest = ' Sinks of before a change had still to write 12 rows, of "to orders".';
  assert.equal(
    endReason('The session was restarted.', `The session was shut down.${rest}`),
    `The session was restarted.${rest}`,
  );
  assert.equal(endReason('The session was restarted.', 'The session was shut down.'), 'The session was restarted.');
  assert.equal(endReason('The session was restarted.', 'The kernel has ended.'), 'The session was restarted.');
});
