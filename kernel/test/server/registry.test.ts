// The session folder: whose it is, what lies in it, who waits for whom.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { withLock } from '../../client/lock.ts';
import { entries, findSession, type SessionEntry, writeEntry } from '../../client/registry.ts';
import { newSessionId, sessionFolder, socketPath } from '../../client/session-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sl-'));
  process.env['SLUICE_SESSIONS'] = folder;
});
afterEach(() => {
  delete process.env['SLUICE_SESSIONS'];
  rmSync(folder, { recursive: true, force: true });
});

function entry(notebook: string, pid: number): SessionEntry {
  const session = newSessionId();
  return { session, notebook, pid, socket: '', token: 't', build: '0', protocol: 1, since: 0, kernel: '' };
}
/** A process that has just ended: its id belongs to nobody. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test('the folder is for its user only, and so is an entry', { skip: process.platform === 'win32' }, () => {
  chmodSync(folder, 0o755);
  sessionFolder();
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const one = entry('/n', process.pid);
  writeEntry(folder, one);
  assert.equal(statSync(join(folder, `${one.session}.json`)).mode & 0o777, 0o600);
});

test('a folder that is a link of somebody is refused', { skip: process.platform === 'win32' }, () => {
  const target = join(folder, 'target');
  mkdirSync(target);
  const link = join(folder, 'link');
  symlinkSync(target, link);
  process.env['SLUICE_SESSIONS'] = link;
  assert.throws(() => sessionFolder(), /belongs to another user/);
});

test('a socket’s path that no system holds is refused with a way out', () => {
  assert.throws(() => socketPath('/'.padEnd(90, 'x'), newSessionId()), /longer than 99 bytes. Set SLUICE_SESSIONS/);
  assert.match(newSessionId(), /^[0-9a-f]{12}$/);
});

test('a notebook is found by any of its names', { skip: process.platform === 'win32' }, () => {
  const notebook = join(folder, 'n.sluice.ts');
  const other = join(folder, 'other.sluice.ts');
  writeFileSync(notebook, '');
  symlinkSync(notebook, other);
  writeEntry(folder, entry(notebook, process.pid));
  assert.equal(findSession(folder, other)?.notebook, notebook);
});

test('entries of dead processes are swept away, with socket and log', () => {
  const dead = entry('/n', deadPid());
  writeEntry(folder, dead);
  for (const ending of ['sock', 'log']) writeFileSync(join(folder, `${dead.session}.${ending}`), '');
  const living = entry('/m', process.pid);
  writeEntry(folder, living);
  assert.deepEqual(entries(folder), [living]);
  for (const ending of ['json', 'sock', 'log'])
    assert.equal(existsSync(join(folder, `${dead.session}.${ending}`)), false);
});

test('an entry that is being written is not seen', () => {
  writeFileSync(join(folder, `${newSessionId()}.json`), '{"sess');
  assert.deepEqual(entries(folder), []);
});

test('two that take the lock work one after the other', async () => {
  const lock = join(folder, 'start.lock');
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const one = withLock(lock, async () => {
    order.push('one begins');
    await first.promise;
    order.push('one ends');
  });
  const two = withLock(lock, () => Promise.resolve(void order.push('two')));
  assert.equal(readFileSync(lock, 'utf8'), String(process.pid));
  first.resolve();
  await Promise.all([one, two]);
  assert.deepEqual(order, ['one begins', 'one ends', 'two']);
  assert.equal(existsSync(lock), false);
});

test('a lock is given back when its work fails', async () => {
  const lock = join(folder, 'start.lock');
  await assert.rejects(
    withLock(lock, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(existsSync(lock), false);
});

test('the lock of a dead process counts for nothing', async () => {
  const lock = join(folder, 'start.lock');
  writeFileSync(lock, String(deadPid()));
  assert.equal(await withLock(lock, () => Promise.resolve('mine')), 'mine');
});
