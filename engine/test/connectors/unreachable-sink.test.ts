// A topic's sink in a running dataflow, without a broker: it waits, and the job goes on.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { Environment } from '../../index.ts';

test('a sink whose broker cannot be reached waits, and holds up nothing but itself', async (t) => {
  // Nobody listens at port 1.
  vi.stubEnv('SLUICE_BROKERS', '127.0.0.1:1');
  t.onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const environment = new Environment();
  const seen: number[] = [];
  const rows = environment.from([1, 2, 3]);
  rows.sink((n) => void seen.push(n));
  rows.to('away');
  const job = await environment.execute();
  while (seen.length < 3) await sleep(10);
  assert.equal(job.status, 'running', 'the rows for the topic are not written');
  await job.stop();
  assert.deepEqual(seen, [1, 2, 3]);
});
