// Troubles on a real broker that other clients hide or name wrongly: a quota, and an address that
// the broker advertises and nobody reaches.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { startOwnBroker, whyNoKafka, type OwnBroker } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { fetchJars } from './kafka-jars.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver } from './sink-driver.ts';
import { sourceDrivers } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let broker: OwnBroker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));
const read = sourceDrivers();

/** Java's own tool sets the quotas of clients with Sluice's id. */
async function setQuotas(change: '--add-config' | '--delete-config', quotas: string): Promise<void> {
  const java = [
    '-Xmx128m',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    join(await fetchJars(), '*'),
    'kafka.admin.ConfigCommand',
  ];
  const entity = ['--entity-type', 'clients', '--entity-name', 'sluice'];
  const alter = ['--bootstrap-server', broker.brokers, '--alter', change, quotas, ...entity];
  await promisify(execFile)('java', [...java, ...alter]);
}
const text = 'x'.repeat(1_000);
const rows = Array.from({ length: 1_000 }, (_, n) => ({ value: { n, text }, timestamp: 1_700_000_000_000 + n }));

test(
  'a quota is the reason that is named, for a source and for a sink, as long as it lasts',
  { skip, timeout: 300_000 },
  async () => {
    await client.createTopic('metered');
    for (let sent = 0; sent < 20_000; sent += 1_000)
      await client.send(
        'metered',
        rows.map(({ value }) => ({ partition: 0, value })),
      );
    await client.createTopic('written');
    await setQuotas('--add-config', 'consumer_byte_rate=500000,producer_byte_rate=100000');
    const source = read({ topic: 'metered', from: 'earliest', format: 'json' });
    const sink = new SinkDriver({ topic: 'written', format: 'json', delivery: 'at-least-once' });
    try {
      for (let round = 0; round < 3; round++) await sink.write(rows);
      await source.until('the trouble', () => source.source.status().trouble !== undefined);
      assert.match(
        source.source.status().trouble!,
        /^broker 1 makes this client wait because of its quota \(since \d\d:\d\d:\d\d\)$/,
      );
      await sink.until(() => sink.sink.status!().waiting !== undefined);
      const { waiting, waitingSince } = sink.sink.status!();
      assert.match(waiting!, /broker 1 makes this client wait because of its quota/);
      assert.ok(waitingSince !== undefined && waitingSince < Date.now());
      await setQuotas('--delete-config', 'consumer_byte_rate,producer_byte_rate');
      await source.until('all rows', () => source.rows.length === 20_000);
      await sink.flush();
      assert.equal(sink.sink.status!().waiting, undefined);
      await source.until('the end of the trouble', () => source.source.status().trouble === undefined);
    } finally {
      sink.sink.close?.();
    }
  },
);

test(
  'an advertised address that nobody reaches is named as that, with the broker, and not the one of the user',
  { skip, timeout: 300_000 },
  async () => {
    await client.createTopic('astray');
    await client.send('astray', [{ value: { n: 1 } }]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    await broker.kill();
    broker.configure({ 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` });
    await broker.start();
    const named = `broker 1 is reached by its advertised name 127.0.0.1:${port} (advertised.listeners), and that name fails: 127.0.0.1:${port} refused the connection`;
    const source = read({ topic: 'astray', from: 'earliest', format: 'json' });
    const sink = new SinkDriver({ topic: 'astray', format: 'json', delivery: 'at-least-once' });
    try {
      await source.until('the trouble', () => /refused/.test(source.source.status().trouble ?? ''));
      const trouble = source.source.status().trouble!;
      assert.ok(trouble.startsWith(`astray[0] waits: ${named} (since `), trouble);
      assert.doesNotMatch(trouble, /SLUICE_BROKERS/);
      await sink.until(() => sink.sink.status!().waiting !== undefined);
      assert.equal(sink.sink.status!().waiting, `Kafka cannot be reached: ${named}`);
      await broker.kill();
      broker.configure({});
      await broker.start();
      await source.until('the record', () => source.rows.length === 1);
      await source.until('the end of the trouble', () => source.source.status().trouble === undefined);
      await sink.write([{ value: { n: 1 }, timestamp: 1 }]);
      await source.until('the row of the sink', () => source.rows.length === 2);
    } finally {
      sink.sink.close?.();
    }
  },
);
