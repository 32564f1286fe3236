// A kernel that accepts connections and never answers: how long clients wait for it, and the way
// out.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { SilentKernel } from '../../client/end-session.ts';
import { entries, isAlive, removeEntry, type SessionEntry, writeEntry } from '../../client/registry.ts';
import { newSessionId, realNotebook, shortHash } from '../../client/session-folder.ts';
import { Kernels, until } from './kernels.ts';

/** An entry of this process, with a socket that accepts and stays silent. */
async function silentKernel(t: TestContext, { folder }: Kernels, notebook: string): Promise<SessionEntry> {
  const session = newSessionId();
  const socket = join(folder, `${session}.sock`);
  const server = createServer(() => undefined).listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  const about = { build: 'test', protocol: 1, since: 0, kernel: '' };
  const entry: SessionEntry = { session, notebook, pid: process.pid, socket, token: 't', ...about };
  writeEntry(folder, entry);
  t.onTestFinished(() => {
    server.close();
    removeEntry(folder, session);
  });
  return entry;
}

test('a kernel that hangs holds up its own notebook for 5 s and no other one', async (t) => {
  const kernels = new Kernels(t);
  const silent = await silentKernel(t, kernels, kernels.notebook('silent.sluice.ts'));
  const other = kernels.notebook('other.sluice.ts');
  const began = performance.now();
  const waits = [1, 2].map(() =>
    assert.rejects(kernels.connect(silent.notebook), (error: Error) => {
      assert.ok(error instanceof SilentKernel);
      assert.match(error.message, new RegExp(`silent.sluice.ts .*process ${process.pid}.* 5 s.*"Sluice: Restart"`));
      return true;
    }),
  );
  let hasEnded = false;
  const both = Promise.all(waits).then(() => {
    hasEnded = true;
    return performance.now() - began;
  });
  const connecting = kernels.connect(other);
  // The start itself may take longer than the wait, on a busy machine.
  const lock = join(kernels.folder, `start-${shortHash(realNotebook(other))}.lock`);
  await until(() => existsSync(lock), 'the start of the other kernel');
  assert.equal(hasEnded, false, 'the other notebook starts while the first one still waits');
  assert.equal((await connecting).started, true);
  const millis = await both;
  assert.ok(millis > 4_900, `${millis} ms`);
  assert.ok(
    entries(kernels.folder).some(({ session }) => session === silent.session),
    'its entry stays',
  );
});

test('a kernel that closes its connections is an error, not a reason to start another one', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook();
  const session = newSessionId();
  const socket = join(kernels.folder, `${session}.sock`);
  const server = createServer((client) => client.destroy()).listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  const about = { build: 'test', protocol: 1, since: 0, kernel: '' };
  writeEntry(kernels.folder, { session, notebook, pid: process.pid, socket, token: 't', ...about });
  t.onTestFinished(() => {
    server.close();
    removeEntry(kernels.folder, session);
  });
  await assert.rejects(kernels.connect(notebook), /The kernel has ended/);
  assert.equal(entries(kernels.folder).length, 1);
});

test(
  'a restart ends a kernel that hangs, before and after it was connected',
  { skip: process.platform === 'win32' },
  async (t) => {
    const kernels = new Kernels(t);
    const notebook = kernels.notebook();
    const connection = await kernels.connect(notebook);
    process.kill(connection.entry.pid, 'SIGSTOP');
    await connection.end();
    assert.equal(await connection.ended, 'The kernel has ended.');
    await until(() => !isAlive(connection.entry.pid), 'the end of the kernel');

    const again = await kernels.connect(notebook);
    assert.equal(again.started, true);
    process.kill(again.entry.pid, 'SIGSTOP');
    const stopped = await kernels.connect(notebook).catch((error: unknown) => error);
    assert.ok(stopped instanceof SilentKernel);
    assert.equal(stopped.entry.pid, again.entry.pid);
    assert.equal(stopped.entry.pid, again.entry.pid);
    await stopped.kill();
    assert.equal((await kernels.connect(notebook)).started, true);
  },
);

test('no process is killed that is not the kernel of the entry', async (t) => {
  const kernels = new Kernels(t);
  const entry = await silentKernel(t, kernels, kernels.notebook());
  await assert.rejects(new SilentKernel(entry, 5_000).kill(), new RegExp(`process ${process.pid} is not that kernel`));
});
