// `npm run kafka`, as a user starts and ends it: Ctrl-C reaches the whole group of processes, Java
// too. The step before it, a build, would replace what other tests use.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { freePorts, whyNoKafka } from './broker.ts';
import { independentClient } from './independent-client.ts';

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.skipIf(whyNoKafka())('npm run kafka fills the topic orders until Ctrl-C', async () => {
  const [port] = await freePorts(1);
  const script = join(import.meta.dirname, 'orders-broker.ts');
  const child = spawn(process.execPath, [script, '--port', String(port), '--rate', '50'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  try {
    let output = '';
    const ended = once(child, 'exit');
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          if (output.includes('is ready')) resolve();
        });
      void ended.then(() => reject(new Error(`It ended before it was ready:\n${output}`)));
    });
    assert.match(output, new RegExp(`127\\.0\\.0\\.1:${port} is ready\\. Topic "orders": 4 partitions, 50 orders/s`));

    const client = await independentClient(`127.0.0.1:${port}`);
    const written = async (): Promise<number> =>
      (await client.admin.fetchTopicOffsets('orders')).reduce((sum, { high }) => sum + Number(high), 0);
    const first = await written();
    assert.ok(first >= 3600, `${first} orders of the last half hour`);
    while ((await written()) < first + 20);
    await client.close();

    process.kill(-child.pid!, 'SIGINT');
    assert.deepEqual(await ended, [0, null], output);
    assert.match(output, /stopped, and its data is removed/);
    // Another test may have the port by now, so the processes are looked for.
    // The system takes a moment to forget one that has ended.
    for (const end = Date.now() + 60_000; isThere(-child.pid!); await sleep(50))
      assert.ok(Date.now() < end, 'no process of the group is left');
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
  }
});
