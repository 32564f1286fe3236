// A running session in one line.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SessionEntry } from '../../../kernel/client/registry.ts';
import type { Welcome } from '../../../kernel/protocol/messages.ts';
import { sessionText } from '../../sessions/session-text.ts';

const entry = { session: 's', since: new Date(2024, 4, 1, 11, 58).getTime() } as SessionEntry;
const cell = (phase: string) => ({ phase });

test('a session says its cells, its start and its memory, or that it does not answer', () => {
  const state = { cells: [cell('live'), cell('not-run'), cell('failed')] };
  const welcome = { state, memoryBytes: 84.4e6 } as unknown as Welcome;
  assert.equal(sessionText({ entry, welcome }, 'en-GB'), '2 cells · since 11:58 · 84 MB');
  assert.equal(sessionText({ entry, welcome: undefined }, 'en-GB'), 'since 11:58 · does not answer');
});
