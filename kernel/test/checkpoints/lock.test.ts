// One session has a state directory. A kill releases it.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { test } from 'vitest';
import { SluiceError } from '../../../engine/errors/error.ts';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { content, testFolder } from './contents.ts';
import { killedContent } from './killed-content.ts';
import { printed, storeProcess } from './store-process-run.ts';

function inUseBy(directory: string, pid: number) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, 'state-in-use');
    assert.ok(
      error.message.startsWith(`The state directory ${directory} is in use by process ${pid} on ${hostname()} since 2`),
      error.message,
    );
    assert.match(error.message, /Z\. Stop that session first, or choose another directory\.$/);
    assert.equal(error.details['pid'], pid);
    return true;
  };
}
/** Lines are read one by one. */
function linesOf(child: ChildProcess): AsyncIterator<string> {
  return createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
}
async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('a second opener in the same process gets state-in-use until the first one closes', async () => {
  const directory = join(testFolder(), 'state');
  const first = await openCheckpoints(directory);
  await assert.rejects(openCheckpoints(directory), inUseBy(directory, process.pid));
  // A failed opener must not take the lock away from its owner.
  await assert.rejects(openCheckpoints(directory), inUseBy(directory, process.pid));
  assert.match(await printed('open', [directory]), new RegExp(`^state-in-use .* process ${process.pid} on `));
  await first.write(content(1));
  await first.close();
  await first.close();
  await assert.rejects(first.write(content(2)), /only until it is closed/);
  const second = await openCheckpoints(directory);
  assert.equal(second.restored?.id, 1);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('lock')),
    ['lock'],
  );
  await second.close();
});

test('a directory that has gone is released, and a new one can be opened in its place', async () => {
  const directory = join(testFolder(), 'state');
  const first = await openCheckpoints(directory);
  rmSync(directory, { recursive: true });
  await first.close();
  const second = await openCheckpoints(directory);
  await second.close();
});

test('a second opener in another thread of the process gets state-in-use', async () => {
  const directory = join(testFolder(), 'state');
  const first = await openCheckpoints(directory);
  const worker = new Worker(join(import.meta.dirname, 'store-process.ts'), {
    argv: ['open', directory],
    stdout: true,
  });
  const chunks: string[] = [];
  worker.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  await once(worker, 'exit');
  assert.match(chunks.join(''), /^state-in-use /);
  // The thread has closed its file. The lock of the process must outlive that.
  assert.match(await printed('open', [directory]), /^state-in-use /);
  await first.close();
});

test('openers at the same time: one has the directory, the others are refused', async () => {
  const directory = join(testFolder(), 'state');
  const openers = Array.from({ length: 4 }, () => linesOf(storeProcess('hold', [directory])));
  const lines = await Promise.all(openers.map(async (opener) => String((await opener.next()).value)));
  assert.deepEqual(lines.map((line) => /^held$|^state-in-use/.exec(line)?.[0] ?? line).sort(), [
    'held',
    'state-in-use',
    'state-in-use',
    'state-in-use',
  ]);
});

test('a lock whose process was killed is free', async () => {
  const directory = join(testFolder(), 'state');
  for (let turn = 0; turn < 2; turn++) {
    const holder = storeProcess('hold', [directory]);
    assert.equal((await linesOf(holder).next()).value, 'held');
    await assert.rejects(openCheckpoints(directory), inUseBy(directory, holder.pid!));
    await killed(holder);
    const storage = await openCheckpoints(directory);
    await storage.close();
  }
});

test('a process that is killed while it writes loses no complete checkpoint', async () => {
  const directory = join(testFolder(), 'state');
  let last = 0;
  for (let kill = 0; kill < 6; kill++) {
    const writer = storeProcess('write-forever', [directory]);
    const lines = linesOf(writer);
    for (let line = 0; line <= kill; line++) {
      const { value } = (await lines.next()) as { readonly value: string };
      assert.ok(Number(value) > last, `${value} comes after ${last}`);
      last = Number(value);
    }
    await killed(writer);
    // What it wrote between the line that was read and its end.
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) last = Number(next.value);
    const storage = await openCheckpoints(directory);
    const restored = storage.restored!;
    assert.ok(restored.id >= last, `${restored.id} was restored after ${last} was complete`);
    assert.deepEqual(restored, killedContent(restored.id));
    last = storage.nextId - 1;
    await storage.close();
  }
});

test('a lock file that is none of SQLite names itself, and a directory that is removed can be opened again', async () => {
  const directory = join(testFolder(), 'state');
  await (await openCheckpoints(directory)).close();
  writeFileSync(join(directory, 'lock'), 'no lock '.repeat(100));
  await assert.rejects(openCheckpoints(directory), /the file \S+lock is not a lock\. Remove it/);
  rmSync(directory, { recursive: true });
  const storage = await openCheckpoints(directory);
  assert.equal(storage.nextId, 1);
  await storage.close();
});
