// The end of an executor's thread always has a reason, also when one of its messages is lost.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startWorkerExecutor } from '../../executor/worker-port.ts';

/** A thread that runs this text instead of an executor. */
function endOf(text: string): Promise<string> {
  const entry = new URL(`data:text/javascript,${encodeURIComponent(text)}`);
  const executor = startWorkerExecutor({ notebook: '/n.sluice.ts', params: {}, isJob: false, entry });
  return new Promise((resolve) => executor.onEnd(resolve));
}

test('a message that cannot be read ends the executor with this reason', async () => {
  const reason = await endOf(`
    import { parentPort } from 'node:worker_threads';
    let value = [];
    for (let i = 0; i < 10000; i++) value = [value];
    parentPort.postMessage({ kind: 'evaluated', value });
    setInterval(() => {}, 1000);
  `);
  assert.match(reason, /^a message of it could not be read: Maximum call stack/);
});

test('an error without a message is a reason too', async () => {
  assert.equal(await endOf(`throw new Error('');`), 'an error without a message was thrown');
});
