// What the status bar says of checkpoints, and the settings as variables of a kernel.
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import type { SessionView } from '../../../kernel/protocol/messages.ts';
import { checkpointVariables, type ReadSetting } from '../../session/checkpoint-variables.ts';
import { durabilityText } from '../../session/durability-status.ts';

const now = 1_000_000_000;
const last = { id: 7, takenAt: now - 14_000, bytes: 3_100_000, millis: 40 };
const session: SessionView = { cells: [], clients: 1, recordsPerSecond: 0 };
const withCheckpoints = { ...session, checkpoints: { completed: 7, failed: 0, last } };

test('the status bar has the last checkpoint, and a warning comes before it', () => {
  assert.equal(durabilityText(undefined, undefined, now), undefined);
  assert.equal(durabilityText(session, undefined, now), undefined);
  assert.equal(durabilityText(withCheckpoints, undefined, now)?.text, '$(save) checkpoint 14 s ago · 3.1 MB in 40 ms');
  const failed = {
    ...withCheckpoints,
    checkpoints: { ...withCheckpoints.checkpoints, failed: 1, problem: 'No $(zap).' },
  };
  const shown = durabilityText(failed, undefined, now)!;
  assert.equal(shown.text, '$(warning) checkpoint failed: No \\$(zap).');
  assert.equal(shown.isWarning, true);
  assert.match(shown.tooltip, /The one before is whole: checkpoint 14 s ago · 3\.1 MB in 40 ms · 1 failed$/);
  const restarting = { startsAt: now + 3_000, attempt: 2, cell: 'orders', cause: 'It broke.' };
  assert.equal(
    durabilityText({ ...failed, restarting }, undefined, now)?.text,
    '$(sync) restarting in 3 s (attempt 2): orders: It broke.',
  );
});

test('an offer can be taken from the status bar', () => {
  const shown = durabilityText(session, { takenAt: now, lost: [] }, now)!;
  assert.match(shown.text, /^\$\(history\) Resume from .*\d\d:\d\d:\d\d$/);
  assert.equal(shown.command, 'sluice.resume');
});

test('settings that differ from the defaults become variables of the kernel', () => {
  const variables = (settings: Readonly<Record<string, unknown>>): Record<string, string> => {
    const get: ReadSetting = <T>(name: string, byDefault: T) => (settings[name] ?? byDefault) as T;
    return checkpointVariables(get);
  };
  assert.deepEqual(variables({}), {});
  assert.deepEqual(variables({ 'checkpoints.intervalSeconds': 10, 'checkpoints.directory': ' ' }), {});
  assert.deepEqual(variables({ 'checkpoints.enabled': false }), { SLUICE_CHECKPOINTS: 'off' });
  assert.deepEqual(
    variables({
      'checkpoints.directory': '~/state',
      'checkpoints.intervalSeconds': 1,
      'checkpoints.maxMegabytes': 50,
      'checkpoints.maxDays': 2,
    }),
    {
      SLUICE_STATE: join(homedir(), 'state'),
      SLUICE_CHECKPOINT_SECONDS: '1',
      SLUICE_STATE_MEGABYTES: '50',
      SLUICE_STATE_DAYS: '2',
    },
  );
});
