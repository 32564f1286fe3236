// The troubles of a reader that a real broker shows rarely: they end with their split or broker,
// and are named although answers without trouble come between. The broker is a socket with answers
// of the test.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, test, vi } from 'vitest';
import { BatchBuilder } from '../../connectors/kafka/batch-builder.ts';
import { Throttling } from '../../connectors/kafka/throttling.ts';
import { Troubles, type Trouble } from '../../connectors/kafka/troubles.ts';
import { batch, record } from '../connectors/made-batches.ts';
import { ReaderOn, ScriptedBroker, type Script } from './scripted-broker.ts';

const closing: { close(): void }[] = [];
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
});
async function broker(script: Script): Promise<ScriptedBroker> {
  const started = await ScriptedBroker.start(script);
  closing.push(started);
  return started;
}
function readerOn(...given: ConstructorParameters<typeof ReaderOn>): ReaderOn {
  const reader = new ReaderOn(...given);
  closing.push(reader);
  return reader;
}
const until = (condition: () => unknown): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 120_000, interval: 10 });
const later = (): number => Date.now() + 60_000;

const open = { partition: 0, highWatermark: 110, lastStable: 7 };
const fromOffset7 = { known: [{ topic: 't', partition: 0 }], hasLooked: true };
const at7 = { kind: 'assign', splits: [{ topic: 't', partition: 0, offset: 7, epoch: -1 }] } as const;

test('an open transaction is named with the time of its first record, and ends with its split', async () => {
  const first = batch({
    records: [record({ value: Buffer.from('1') })],
    baseOffset: 7,
    firstTimestamp: new Date(2024, 4, 1, 10, 3, 4).getTime(),
  });
  const script: Script = {
    fetch: (_asked, isUncommitted) => ({ partitions: [isUncommitted ? { ...open, bytes: first } : open] }),
  };
  const reader = readerOn(await broker(script), fromOffset7);
  reader.tell(at7);
  await until(() => reader.trouble(later())?.includes('10:03:04'));
  assert.match(
    reader.trouble(later())!,
    /^t\[0\] waits for an open transaction that begins at offset 7, with a record of 2024-05-01 10:03:04; its begin is not known: the broker is older than Kafka 3\.0 \(since \d\d:\d\d:\d\d or earlier\)$/,
  );
  await until(() => reader.of('behind').length > 1);
  assert.equal(reader.of('silent').length, 0);
  reader.tell({ kind: 'revoke', splits: ['t[0]'] });
  await until(() => reader.troubles.length === 0);
});

test('a transaction in a topic of LogAppendTime is open since the time of its first batch', async () => {
  const since = new Date(2024, 4, 1, 10, 3, 4).getTime();
  const first = batch({ records: [record({})], attributes: 8, baseOffset: 7, firstTimestamp: 5, maxTimestamp: since });
  const script: Script = {
    fetch: (_asked, isUncommitted) => ({ partitions: [isUncommitted ? { ...open, bytes: first } : open] }),
  };
  const reader = readerOn(await broker(script), fromOffset7);
  reader.tell(at7);
  await until(() => reader.troubles[0]?.since === since);
  assert.equal(
    reader.trouble(),
    't[0] waits for an open transaction that begins at offset 7 (since 2024-05-01 10:03:04)',
  );
});

test('an open transaction ends with the split that a read up to a time has read to its end', async () => {
  const reader = readerOn(await broker({ fetch: () => ({ partitions: [open] }) }), {
    ...fromOffset7,
    until: { timestamp: 1 },
  });
  reader.tell({ ...at7, splits: [{ ...at7.splits[0], endTime: 1 }] });
  await until(() => reader.of('ended').length > 0);
  assert.deepEqual(reader.troubles, []);
});

test('a broker whose every second answer is throttled for a while is named, and not when it leads nothing', async () => {
  let answers = 0;
  const script: Script = {
    fetch: ([one]) => {
      if (answers++ % 2 === 0) return { throttleMillis: 700, partitions: [] };
      const builder = new BatchBuilder();
      builder.append(undefined, '1', 1);
      const bytes = builder.stamped(-1n, -1, -1);
      bytes.writeBigInt64BE(BigInt(one!.offset), 0);
      return { partitions: [{ partition: 0, highWatermark: 1_000, bytes }] };
    },
  };
  const reader = readerOn(await broker(script));
  let isNamed = false;
  reader.onMessage = (message) => {
    if (message.kind === 'chunks')
      for (const { split, bytes } of message.chunks) reader.tell({ kind: 'credit', split, bytes });
    // Once it is named, it stays named over all answers.
    isNamed ||= reader.troubles.length > 0;
    if (message.kind === 'chunks' && isNamed)
      assert.equal(reader.troubles[0]?.reason, 'broker 1 makes this client wait because of its quota');
  };
  await until(() => isNamed);
  const chunks = reader.of('chunks').length;
  await until(() => reader.of('chunks').length > chunks + 2);
  assert.ok(reader.of('unanswered').length > 0, 'a throttled answer is none');
  reader.tell({ kind: 'revoke', splits: ['t[0]'] });
  await until(() => reader.troubles.length === 0);
});

test('a fifth of the last ten seconds names a broker, less than a tenth does not', () => {
  let now = 100_000;
  const told: (readonly Trouble[])[] = [[]];
  const present = (): readonly Trouble[] => told.at(-1)!;
  const throttling = new Throttling(new Troubles((troubles) => void told.push(troubles)), () => now);
  throttling.answered(1, 1_500);
  assert.deepEqual(present(), [], 'one wait is ordinary');
  now += 1_700;
  throttling.answered(1, 0);
  throttling.answered(1, 600);
  assert.deepEqual([present()[0]?.since, present()[0]?.isRetried], [100_000, false]);
  now += 8_000;
  throttling.look();
  assert.equal(present().length, 1);
  now += 2_000;
  throttling.look();
  assert.equal(present().length, 0, 'the waits have left the window, without an answer');
  throttling.answered(1, 30_000);
  assert.equal(present().length, 1, 'one long wait is enough');
  throttling.answered(2, 30_000);
  throttling.forget(1);
  assert.deepEqual(
    present().map(({ reason }) => reason),
    ['broker 2 makes this client wait because of its quota'],
  );
  throttling.close();
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
test('a new source names the advertised address that fails, and its broker', async () => {
  const port = await closedPort();
  const reader = readerOn(await broker({ advertised: ['127.0.0.1', port] }));
  await until(() => reader.troubles.length > 0);
  assert.match(
    reader.trouble(later())!,
    new RegExp(
      `^t\\[0\\] waits: broker 1 is reached by its advertised name 127\\.0\\.0\\.1:${port} \\(advertised\\.listeners\\), and that name fails: 127\\.0\\.0\\.1:${port} refused the connection \\(since `,
    ),
  );
});
test('a port that no address can have is one sentence', async () => {
  const reader = readerOn(await broker({ advertised: ['127.0.0.1', 70_000] }));
  await until(() => reader.troubles.length > 0);
  assert.match(
    reader.trouble(later())!,
    /advertised name 127\.0\.0\.1:70000 \(advertised\.listeners\), and that name fails: 127\.0\.0\.1:70000 is no address: it needs a host, and a port between 1 and 65535 \(since/,
  );
});

test(
  'a partition without leader whose topic leaves the pattern is waited for no longer',
  { timeout: 300_000 },
  async () => {
    const on = await broker({ leaderless: () => [0] });
    const reader = readerOn(on, { topic: '/^t/', pattern: { source: '^t', flags: '' } });
    await until(() => reader.troubles.some(({ subject }) => subject === 't[0]'));
    on.topics = [];
    await until(() => reader.of('gone').length > 0);
    assert.deepEqual(reader.of('gone')[0]!.splits, ['t[0]']);
    assert.equal(
      reader.troubles.some(({ subject }) => subject === 't[0]'),
      false,
    );
  },
);

test('after a restore, a partition that has appeared begins at its earliest offset, also if another has no start yet', async () => {
  const reader = readerOn(await broker({ partitions: 3, end: () => 100 }), {
    from: 'latest',
    hasLooked: true,
    known: [{ topic: 't', partition: 0 }],
    unresolved: [{ topic: 't', partition: 1 }],
  });
  await until(() => reader.of('found').length > 0);
  const { splits } = reader.of('found')[0]!;
  assert.deepEqual(splits.map(({ partition, offset }) => [partition, offset]).sort(), [
    [1, 100],
    [2, 0],
  ]);
});
