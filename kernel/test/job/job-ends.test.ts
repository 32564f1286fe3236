// The end of a job: its exit code, its last checkpoint, and the levels of its log.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'vitest';
import { exitCodeOf } from '../../job/exit-codes.ts';
import { graceOf } from '../../job/grace.ts';
import { Failures } from '../../job/failures.ts';
import { jobLog, type Level, levels } from '../../job/job-log.ts';
import { lastCheckpoint } from '../../job/last-checkpoint.ts';
import { createSession, type Session } from '../../session/state.ts';

test('an exit code says whether a restart helps', () => {
  const codes = (...errors: string[]): number => exitCodeOf(errors);
  for (const code of ['other-state', 'application-in-use', 'state-in-use', 'state-disk-full', 'newer-state'])
    assert.equal(codes(code), 3, code);
  assert.equal(codes('notebook-changed'), 3);
  assert.equal(codes('no-savepoint'), 3);
  assert.equal(codes('http-port'), 2);
  for (const code of ['kafka-bad-row', 'state-not-stored', 'internal']) assert.equal(codes(code), 1, code);
  assert.equal(codes('kafka-bad-row', 'other-state'), 3);
  assert.equal(codes(), 1);
});

test('failures know the codes of what they report', () => {
  const reported: string[] = [];
  const failures = new Failures((cell, { code }) => void reported.push(`${cell} ${code}`));
  failures.add(undefined, { code: 'application-in-use', message: 'In use.' });
  failures.end();
  failures.add('orders', { code: 'late', message: 'What fails at the end depends on the moment.' });
  assert.deepEqual(failures.codes, ['application-in-use']);
  assert.deepEqual(reported, ['undefined application-in-use']);
});

const startsAt = { startsAt: 1 };
const session = createSession();
const { restarts } = session;

test('a job that is stopped during a restart has no last checkpoint', async () => {
  const of = async (state: Session, isComplete = true): Promise<string | undefined> =>
    await lastCheckpoint({ session: state, checkpoint: () => Promise.resolve(isComplete) }, true);
  const restarting = 'The job was restarting, so no last checkpoint was taken. A restart goes on from the one before.';
  assert.equal(await of({ ...session, executor: 'ending', restarts: { ...restarts, ...startsAt } }), restarting);
  // The next executor reads the checkpoint.
  for (const executor of ['starting', 'restoring'] as const)
    assert.equal(await of({ ...session, executor, restarts: { ...restarts, at: [1] } }), restarting);
  assert.equal(await of({ ...session, executor: 'ready', restarts: { ...restarts, at: [1] } }), undefined);
  // Nothing has run yet.
  assert.equal(await of(session), undefined);
  assert.match((await of({ ...session, executor: 'ready' }, false)) ?? '', /was not complete in time/);
});

test('the last checkpoint, closing and leaving by force are within the grace', () => {
  for (const millis of [100, 2000, 25_000, 3_600_000]) {
    const { checkpointMillis, forceMillis, logMillis } = graceOf(millis);
    assert.ok(0 < checkpointMillis && checkpointMillis < forceMillis, String(millis));
    assert.ok(logMillis > 0 && forceMillis + logMillis <= millis, String(millis));
  }
});

test('the log has lines of its level and of worse ones', async () => {
  const written = async (least: Level): Promise<readonly string[]> => {
    const out = new PassThrough();
    const log = jobLog(out, 'orders', least);
    for (const level of levels) log.write(level, `a ${level}`, { cell: 'c' });
    out.end();
    const lines = (await out.toArray()).join('').trimEnd().split('\n');
    return lines.map((line) => {
      const { time, level, application, message, cell } = JSON.parse(line) as Record<string, string>;
      assert.ok(!Number.isNaN(Date.parse(time!)));
      assert.deepEqual([application, message, cell], ['orders', `a ${level}`, 'c']);
      return level!;
    });
  };
  assert.deepEqual(await written('error'), ['error']);
  assert.deepEqual(await written('warn'), ['error', 'warn']);
  assert.deepEqual(await written('info'), ['error', 'warn', 'info']);
  assert.deepEqual(await written('debug'), ['error', 'warn', 'info', 'debug']);
});
