// The session folder: its owner, its files, and the clients that wait for each other.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { withLock } from '../../client/lock.ts';
import { answeringEntries, entries, findSession, type SessionEntry, writeEntry } from '../../client/registry.ts';
import { newSessionId, sessionFolder, socketPath } from '../../client/session-folder.ts';
import { setAside } from '../../client/start-kernel.ts';

const isWindows = process.platform === 'win32';
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
/** The id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

/** A socket file whose process was killed while it listened. */
async function socketOfCrashed(): Promise<string> {
  const socket = join(folder, 'crashed.sock');
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(socket)})`]);
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 5));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  return socket;
}

test('the folder is for its user only, and so is an entry', { skip: isWindows }, () => {
  chmodSync(folder, 0o755);
  sessionFolder();
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const one = entry('/n', process.pid);
  writeEntry(folder, one);
  assert.equal(statSync(join(folder, `${one.session}.json`)).mode & 0o777, 0o600);
});

test('a folder that others may write is refused, with a way out', { skip: isWindows }, () => {
  for (const mode of [0o777, 0o720, 0o702, 0o1777]) {
    chmodSync(folder, mode);
    assert.throws(() => sessionFolder(), /Other users may write to .* set SLUICE_SESSIONS to a folder of your own/);
    assert.equal(statSync(folder).mode & 0o1777, mode, 'it is not repaired');
  }
});

test('a folder that is a link is refused, and nothing is made behind it', { skip: isWindows }, () => {
  const target = join(folder, 'target');
  const link = join(folder, 'link');
  symlinkSync(target, link);
  process.env['SLUICE_SESSIONS'] = link;
  assert.throws(() => sessionFolder(), /is a symbolic link.* set SLUICE_SESSIONS to a folder of your own/);
  assert.equal(existsSync(target), false);
  mkdirSync(target);
  assert.throws(() => sessionFolder(), /is a symbolic link/);
});

test('the folder in the temporary folder is checked like any other', { skip: isWindows }, () => {
  const temporary = process.env['TMPDIR'];
  delete process.env['SLUICE_SESSIONS'];
  process.env['TMPDIR'] = folder;
  try {
    const own = sessionFolder();
    assert.match(own, new RegExp(`^${folder}/sluice-\\d+$`));
    assert.equal(statSync(own).mode & 0o777, 0o700);
    chmodSync(own, 0o777);
    assert.throws(() => sessionFolder(), /Other users may write to/);
    rmSync(own, { recursive: true });
    symlinkSync(tmpdir(), own);
    assert.throws(() => sessionFolder(), /is a symbolic link/);
    rmSync(own);
    writeFileSync(own, '');
    assert.throws(() => sessionFolder(), /EEXIST|is not a folder/);
  } finally {
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
  }
});

test('a socket’s path that no system holds is refused with a way out', () => {
  assert.throws(() => socketPath('/'.padEnd(90, 'x'), newSessionId()), /longer than 99 bytes. Set SLUICE_SESSIONS/);
  assert.match(newSessionId(), /^[0-9a-f]{12}$/);
});

test('a notebook is found by any of its names', { skip: isWindows }, () => {
  const notebook = join(folder, 'n.sluice.ts');
  const other = join(folder, 'other.sluice.ts');
  writeFileSync(notebook, '');
  symlinkSync(notebook, other);
  writeEntry(folder, entry(notebook, process.pid));
  assert.equal(findSession(folder, other)?.notebook, notebook);
});

test('an entry is forgotten with socket and log if its socket does not answer', async () => {
  const gone = { ...entry('/n', process.pid), socket: join(folder, 'missing.sock') };
  const crashed = { ...entry('/o', deadPid()), socket: await socketOfCrashed() };
  for (const one of [gone, crashed]) {
    writeEntry(folder, one);
    for (const ending of ['sock', 'log']) writeFileSync(join(folder, `${one.session}.${ending}`), '');
  }
  assert.deepEqual(await answeringEntries(folder), []);
  for (const { session } of [gone, crashed])
    for (const ending of ['json', 'sock', 'log']) assert.equal(existsSync(join(folder, `${session}.${ending}`)), false);
});

test('an entry stays while its socket accepts, also with a wrong process id', async (t) => {
  const socket = join(folder, 'silent.sock');
  const server = createServer().listen(socket);
  t.onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  // A process of another container, or one that hangs.
  const silent = { ...entry('/n', deadPid()), socket };
  writeEntry(folder, silent);
  assert.deepEqual(await answeringEntries(folder), [silent]);
  assert.deepEqual(findSession(folder, '/n'), silent);
});

test('a copy of the kernel runs only if it has the bytes of the original', () => {
  const original = join(folder, 'original.cjs');
  writeFileSync(original, 'the kernel');
  const copy = setAside(folder, original);
  assert.match(copy, /kernel-[0-9a-f]{12}\.cjs$/);
  assert.equal(readFileSync(copy, 'utf8'), 'the kernel');
  const { ino } = statSync(copy);
  assert.equal(setAside(folder, original), copy);
  assert.equal(statSync(copy).ino, ino, 'a right copy is used again');
  writeFileSync(copy, 'another program');
  assert.equal(setAside(folder, original), copy);
  assert.equal(readFileSync(copy, 'utf8'), 'the kernel');
  writeFileSync(copy, 'the kernel and more');
  setAside(folder, original);
  assert.equal(readFileSync(copy, 'utf8'), 'the kernel');
  assert.deepEqual(readdirSync(folder).sort(), [basename(copy), 'original.cjs'].sort(), 'nothing else is left');
});

test('a link in the place of a copy is replaced, and its target stays', { skip: isWindows }, () => {
  const original = join(folder, 'original.cjs');
  writeFileSync(original, 'the kernel');
  const copy = setAside(folder, original);
  const target = join(folder, 'target');
  writeFileSync(target, 'the kernel');
  rmSync(copy);
  symlinkSync(target, copy);
  setAside(folder, original);
  assert.equal(lstatSync(copy).isFile(), true);
  assert.equal(readFileSync(target, 'utf8'), 'the kernel');
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
