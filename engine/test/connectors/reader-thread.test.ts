// A message of a topic's reader thread that cannot be read is a failure of the source, and never a
// silent gap. The source and the thread are real; the thread runs a text instead of a reader.
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { test } from 'vitest';
import { createKafkaSource } from '../../connectors/kafka/kafka-source.ts';
import type { SourceContext } from '../../contract/source.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';

/** The error of a source whose reader runs this text. */
async function failureOf(text: string): Promise<unknown> {
  process.env['SLUICE_CONNECTION_MODEL'] = '127.0.0.1:1';
  const node: NodeOf<'kafka'> = {
    ...{ id: 'k', uid: 'k', kind: 'kafka', name: 't', group: '', own: '', shape: '' },
    parameters: { topic: 't', connection: 'model', from: 'earliest', format: 'json' },
  };
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const none = (): undefined => undefined;
  const reader = new Worker(text, { eval: true });
  const source = createKafkaSource(node, new FunctionTable(), undefined, () => reader);
  const context = {
    ...{ id: 'k', uid: 'k', name: 't', freeze: true, clock: { now: () => 0 } },
    output: { full: false, room: 1, allowance: 1, watermark: none, idle: none, active: none, hasReader: () => false },
    ...{ wake: none, wakeAt: none, countLate: none, failPartitions: none, fail: resolve },
  };
  source.open(context as unknown as SourceContext);
  source.poll();
  const failure = await promise;
  await reader.terminate();
  return failure;
}

test('a message that cannot be read ends the source with this reason', async () => {
  const failure = await failureOf(`
    const { parentPort } = require('node:worker_threads');
    let value = [];
    for (let i = 0; i < 10000; i++) value = [value];
    parentPort.postMessage({ kind: 'chunk', value });
    setInterval(() => {}, 1000);
  `);
  assert.match(String(failure), /The thread that reads topic "t" ended: an unreadable message \(.*Maximum call stack/);
});

test('a thread that throws ends the source too', async () => {
  assert.match(String(await failureOf(`throw new Error('no');`)), /The thread that reads topic "t" ended: .*no\.$/);
});
