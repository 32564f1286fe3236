// Reads a topic of a real broker, all tests on one broker: the records, where it starts and stops,
// and no trace of the read on the broker.
import type { StateReader } from '../../contract/operator.ts';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { CompressionTypes } from 'kafkajs';
import { test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import type { ParametersByKind } from '../../graph/parameters.ts';
import type { FunctionRef } from '../../graph/spec.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import { toMessage, type IndependentClient, type TestMessage } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { type Row, sourceDrivers } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
const run = `t${process.pid}-`;

onBroker(startBroker, (started) => ({ client } = started));
const read = sourceDrivers();

async function filled(name: string, partitions: number, messages: readonly TestMessage[]): Promise<string> {
  const topic = run + name;
  await client.createTopic(topic, partitions);
  if (messages.length > 0) await client.send(topic, messages);
  return topic;
}
const numbered = (count: number, partitions: number): TestMessage[] =>
  Array.from({ length: count }, (_, n) => ({ partition: n % partitions, value: { n }, timestamp: 1_000_000 + n }));
const values = (rows: readonly Row[]): unknown[] => rows.map(({ value }) => value);
const numbers = (rows: readonly Row[]): number[] =>
  rows.map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test(
  'every record arrives once, in order within its partition, with its partition, offset and timestamp',
  { skip },
  async () => {
    const topic = await filled('all', 4, numbered(1000, 4));
    const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' });
    await source.ended();
    assert.deepEqual(numbers(source.rows), upTo(1000));
    for (const partition of upTo(4)) {
      const rows = source.rows.filter((row) => row.partition === partition);
      assert.deepEqual(
        rows.map(({ offset }) => offset),
        upTo(250),
      );
      for (const { value, offset, timestamp } of rows) {
        assert.deepEqual(value, { n: offset * 4 + partition });
        assert.equal(timestamp, 1_000_000 + offset * 4 + partition);
      }
    }
    assert.equal(source.source.position(), `${topic} 0:250 1:250 2:250 3:250`);
    const splits = upTo(4).map((partition) => [`${topic}[${partition}]`, 250] as const);
    assert.deepEqual(source.source.progress?.(), Object.fromEntries(splits));
    assert.equal(source.source.status().phase, 'finished');
  },
);

test('nothing goes beyond the room there is', { skip }, async () => {
  const topic = await filled('room', 1, numbered(100, 1));
  const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' }, { roomPerPoll: 7 });
  let most = 0;
  let last = 0;
  const poll = source.source.poll.bind(source.source);
  source.source.poll = () => {
    const answer = poll();
    most = Math.max(most, source.rows.length - last);
    last = source.rows.length;
    return answer;
  };
  await source.ended();
  assert.equal(most, 7);
  assert.deepEqual(numbers(source.rows), upTo(100));
});

test(
  'a topic starts at its end, an offset or a time, and partitions that are not named start at their beginning',
  { skip },
  async () => {
    const topic = await filled('from', 2, numbered(100, 2));
    const latest = read({ topic, from: 'latest', format: 'json' });
    await latest.until('the start', () => latest.source.status().phase === 'waiting');
    const byOffset = read({ topic, from: { offsets: { 0: '40' } }, until: 'latest', format: 'json' });
    const byTime = read({ topic, from: { timestamp: 1_000_091 }, until: 'latest', format: 'json' });
    const afterAll = read({ topic, from: { timestamp: 2_000_000 }, until: 'latest', format: 'json' });
    const part = read({ topic, from: 'earliest', until: { timestamp: 1_000_010 }, format: 'json' });
    await Promise.all([byOffset, byTime, afterAll, part].map((source) => source.ended()));
    assert.deepEqual(numbers(byOffset.rows), [...upTo(100).filter((n) => n % 2 === 1 || n >= 80)]);
    assert.deepEqual(numbers(byTime.rows), [91, 92, 93, 94, 95, 96, 97, 98, 99]);
    assert.deepEqual(afterAll.rows, []);
    assert.deepEqual(numbers(part.rows), upTo(10));
    await client.send(topic, [{ value: { n: 100 } }]);
    await latest.until('the new record', () => latest.rows.length === 1);
    assert.deepEqual(values(latest.rows), [{ n: 100 }]);
  },
);

test(
  'records that come after the start are beyond `until`, and empty partitions are done at once',
  { skip },
  async () => {
    const topic = await filled('until', 3, numbered(50, 1));
    const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' }, { roomPerPoll: 1 });
    await source.until('the start', () => source.rows.length > 0);
    source.isPaused = true;
    await client.send(topic, numbered(10, 3));
    source.resume();
    await source.ended();
    assert.equal(source.rows.length, 50);
    const empty = read({ topic: await filled('empty', 3, []), from: 'earliest', until: 'latest', format: 'json' });
    await empty.ended();
    assert.deepEqual(empty.rows, []);
  },
);

test(
  'looking leaves no trace: groups, topics and offsets are the same before, during and after',
  { skip },
  async () => {
    const topic = await filled('trace', 2, numbered(20, 2));
    const seen = async (): Promise<unknown> => ({
      groups: (await client.admin.listGroups()).groups,
      topics: (await client.admin.listTopics()).sort(),
      offsets: await client.admin.fetchTopicOffsets(topic),
    });
    const beforeIt = await seen();
    const source = read({ topic, from: 'earliest', format: 'json' });
    const missing = read({ topic: `${topic}-misspelt`, from: 'earliest', format: 'json' });
    await Promise.all([source.until('all', () => source.rows.length === 20), missing.failed()]);
    assert.deepEqual(await seen(), beforeIt);
    source.close();
    missing.close();
    assert.deepEqual(await seen(), beforeIt);
  },
);

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
  test(`batches compressed with ${codec} by a broker are read`, { skip }, async () => {
    const topic = `${run}${codec}`;
    await client.createTopic(topic, 1, { 'compression.type': codec });
    // Long repeats, none at all, and characters of more than one byte; several batches.
    const noise = (n: number): string =>
      Array.from({ length: 300 }, (_, i) => ((n * 7919 + i * i * 104729) % 36).toString(36)).join('');
    const rows = upTo(2000).map((n) => ({ n, same: 'abc'.repeat(n % 500), noise: noise(n), text: 'grüße 日本 🎏' }));
    for (let at = 0; at < rows.length; at += 500)
      await client.send(
        topic,
        rows.slice(at, at + 500).map((value) => ({ value })),
      );
    const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' });
    await source.ended();
    assert.deepEqual(values(source.rows), rows);
  });

test('batches compressed by a producer are read from the middle', { skip }, async () => {
  const topic = await filled('middle', 1, []);
  const messages = numbered(1000, 1).map(toMessage);
  await client.producer.send({ topic, compression: CompressionTypes.GZIP, messages });
  const source = read({ topic, from: { offsets: { 0: '990' } }, until: 'latest', format: 'json' });
  await source.ended();
  assert.deepEqual(numbers(source.rows), upTo(1000).slice(990));
});

test(
  'what a transaction aborted is invisible, and its markers at the end do not keep the source waiting',
  { skip },
  async () => {
    const topic = await filled('transactions', 2, []);
    const transactions = client.kafka.producer({
      transactionalId: `${topic}-a`,
      maxInFlightRequests: 1,
      idempotent: true,
      retry: { initialRetryTime: 10, retries: 50 },
    });
    await transactions.connect();
    const write = async (ns: readonly number[], end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await transactions.transaction();
      await transaction.send({ topic, messages: ns.map((n) => toMessage({ partition: n % 2, value: { n } })) });
      await transaction[end]();
    };
    await write([0, 1, 2], 'commit');
    await write([100, 101, 102], 'abort');
    await client.send(topic, [{ partition: 0, value: { n: 3 } }]);
    await write([4, 5], 'commit');
    await write([103, 104], 'abort');
    const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' });
    await source.ended();
    assert.deepEqual(numbers(source.rows), upTo(6));

    // An open transaction is beyond the end; a live source sees it when it is committed.
    const live = read({ topic, from: 'latest', format: 'json' });
    await live.until('the start', () => live.source.status().phase === 'waiting');
    const open = await transactions.transaction();
    await open.send({ topic, messages: [toMessage({ value: { n: 6 } })] });
    const bounded = read({ topic, from: 'earliest', until: 'latest', format: 'json' });
    await bounded.ended();
    assert.deepEqual(numbers(bounded.rows), upTo(6));
    assert.deepEqual(live.rows, []);
    await open.commit();
    await live.until('the commit', () => live.rows.length === 1);
    assert.deepEqual(values(live.rows), [{ n: 6 }]);
    await transactions.disconnect();
  },
);

test('records that are no JSON or have no usable time go to errors with offset and cause', { skip }, async () => {
  const topic = await filled('bad', 1, [
    { value: { at: 1000 } },
    { value: 'hello' },
    { value: { n: 1 } },
    { value: { at: 'yesterday' } },
    { value: null },
    { value: '17' },
    { value: { at: '2026-01-31T12:00:00Z' } },
  ]);
  const source = read({ topic, from: 'earliest', until: 'latest', format: 'json', timestamp: { field: 'at' } });
  await source.ended();
  assert.deepEqual(
    source.rows.map(({ timestamp }) => timestamp),
    [1000, Date.UTC(2026, 0, 31, 12)],
  );
  const [notJson, missing, unusable, tombstone, number] = source.errors;
  assert.deepEqual({ ...notJson, error: '' }, { topic, partition: 0, offset: '1', raw: 'hello', error: '' });
  assert.match(notJson!.error, /^[^ ]+\[0\]@1 is not JSON: .+\. It went to .+\.errors; 1 of 2 so far\.$/);
  assert.equal(
    missing!.error,
    `${topic}[0]@2 has no "at", so it has no event time. It went to ${topic}.errors; 2 of 3 so far.`,
  );
  assert.match(unusable!.error, /\[0\]@3: "at" is "yesterday"; .+ 3 of 4 so far\.$/);
  assert.match(tombstone!.error, /\[0\]@4 has no value \(it is a tombstone\)\. It went to /);
  assert.equal(tombstone!.raw, '');
  assert.match(number!.error, /\[0\]@5 is 17, so it has no "at" and no event time\./);
  assert.equal(source.source.status().errors, 5);
});

test('a source whose records are all refused says why nothing comes', { skip }, async () => {
  const topic = await filled('useless', 1, [{ value: 'hello' }]);
  const source = read({ topic, from: 'earliest', format: 'json' });
  await source.until('the error', () => source.errors.length === 1);
  const { waiting, phase } = source.source.status();
  assert.equal(phase, 'waiting');
  assert.match(waiting ?? '', /^no record was usable so far: .+\[0\]@0 is not JSON: /);
});

test(
  'a record that a schema refuses goes to errors, and what the schema makes of the others is emitted',
  { skip },
  async () => {
    const topic = await filled('schema', 1, [{ value: { n: 1 } }, { value: { n: 'one' } }]);
    const functions = new FunctionTable();
    const reference: FunctionRef = { uid: 'k', slot: 'schema', textHash: '' };
    functions.set(reference, ({ n }: { n: unknown }) =>
      typeof n === 'number' ? { value: { double: 2 * n } } : { issues: [{ message: 'n is no number' }] },
    );
    const parameters = {
      topic,
      from: 'earliest',
      until: 'latest',
      format: 'json',
      schema: { fn: { ...reference } },
    } as const;
    const source = read(parameters, { functions });
    await source.ended();
    assert.deepEqual(values(source.rows), [{ double: 2 }]);
    assert.match(source.errors[0]!.error, /@1 does not fit its schema: n is no number\. It went/);
  },
);

test(
  'a source restored from a snapshot goes on with the next record, wherever the snapshot was taken',
  { skip },
  async () => {
    const topic = await filled('restore', 3, numbered(300, 3));
    const parameters = { topic, from: 'earliest', until: 'latest', format: 'json', timestamp: { field: 'n' } } as const;
    const rows: Row[] = [];
    const watermarks: number[] = [];
    let snapshot: StateReader | undefined;
    let rounds = 0;
    for (let isDone = false; !isDone; rounds++) {
      const source = read(parameters, { roomPerPoll: 11, snapshot });
      const wanted = 20 + ((rounds * 37) % 50);
      await source.until('some rows', () => source.state === 'ended' || source.rows.length >= wanted);
      source.isPaused = true;
      snapshot = source.snapshot();
      rows.push(...source.rows);
      watermarks.push(...source.watermarks);
      isDone = source.state === 'ended';
      source.close();
      // Later records are beyond the end that the first start fixed.
      if (rounds === 0) await client.send(topic, numbered(5, 3));
    }
    assert.ok(rounds > 3);
    assert.deepEqual(numbers(rows), upTo(300));
    assert.deepEqual(
      watermarks,
      watermarks.toSorted((a, b) => a - b),
    );
  },
);

test(
  'a record at which the user’s code throws ends the source, and is read again after the fix',
  { skip },
  async () => {
    const topic = await filled('throws', 1, numbered(6, 1));
    let isFixed = false;
    const check = <T>(n: number, value: T): T => {
      if (n === 4 && !isFixed) throw new TypeError('cannot take 4');
      return value;
    };
    for (const slot of ['schema', 'timestamp']) {
      isFixed = false;
      const functions = new FunctionTable();
      const reference: FunctionRef = { uid: 'k', slot, textHash: '' };
      functions.set(reference, (row: { n: number }) => check(row.n, slot === 'schema' ? { value: row } : row.n));
      const parameters: ParametersByKind<FunctionRef>['kafka'] = {
        ...{ topic, from: 'earliest', until: 'latest', format: 'json' },
        ...{ [slot]: { fn: { ...reference } } },
      };
      const first = read(parameters, { functions });
      assert.match((await first.failed()).message, /cannot take 4/);
      assert.deepEqual(numbers(first.rows), upTo(4));
      assert.equal(first.source.position(), `${topic} 0:4`);
      isFixed = true;
      const second = read(parameters, { functions, snapshot: first.snapshot() });
      await second.ended();
      assert.deepEqual(numbers(second.rows), [4, 5]);
    }
  },
);

test('time waits for a partition that is silent from the start until it is idle', { skip }, async () => {
  const topic = await filled('idle', 2, [{ partition: 0, value: { at: 5_000 } }]);
  const parameters = { topic, from: 'earliest', format: 'json', timestamp: { field: 'at' } } as const;
  const patient = read({ ...parameters, watermark: { outOfOrdernessMillis: 1000 } });
  const source = read({ ...parameters, watermark: { outOfOrdernessMillis: 1000, idlenessMillis: 500 } });
  await source.until('the watermark', () => source.watermark !== undefined);
  assert.equal(source.watermark, 3_999);
  const [first, second] = source.source.status().partitions ?? [];
  assert.equal(first?.watermark, 3_999);
  assert.equal(second?.idle, true);
  assert.equal(second?.watermark, undefined);
  // On a slow machine it may have been idle before its first record, too.
  await source.until('idleness', () => source.marks.at(-1) === 'idle' && source.watermark === 3_999);
  await patient.until('its row', () => patient.rows.length === 1);
  assert.deepEqual(patient.watermarks, []);
  // The partition that was silent counts again at once, and holds nothing back that is out already.
  await client.send(topic, [
    { partition: 1, value: { at: 9_000 } },
    { partition: 0, value: { at: 7_000 } },
  ]);
  await source.until('more time', () => source.watermark! > 3_999);
  assert.ok(source.marks.lastIndexOf('active') > 0);
  await patient.until('its first time', () => patient.watermark === 5_999);
});

test('a partition that has reached its end holds time back no more', { skip }, async () => {
  const topic = await filled('done', 3, [
    { partition: 0, value: { at: 1_000 } },
    ...upTo(5).map((n) => ({ partition: 2, value: { at: 5_000 + n } })),
  ]);
  const parameters = { topic, from: 'earliest', until: 'latest', format: 'json', timestamp: { field: 'at' } } as const;
  const source = read(parameters);
  await source.ended();
  // The partition that came first is finished. The watermark is that of the other one.
  assert.equal(source.watermark, source.rows[0]!.partition === 0 ? 5_003 : 999);
  assert.deepEqual(source.marks, []);
});

test('a rate holds records back', { skip }, async () => {
  const topic = await filled('rate', 1, numbered(60, 1));
  const begun = Date.now();
  const source = read({ topic, from: 'earliest', until: 'latest', format: 'json', rate: 50 });
  await source.ended();
  const seconds = (Date.now() - begun) / 1000;
  assert.deepEqual(numbers(source.rows), upTo(60));
  assert.ok(seconds > 0.9, `60 records at 50/s took ${seconds} s`);
});

/**
 * Memory of buffers, also of those that came from another thread (`arrayBuffers` leaves them out).
 * Without garbage: the client that filled the topic has left some.
 */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  for (let i = 0; i < 3; i++) {
    (runInNewContext('gc') as () => void)();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage().external;
}

// An answer holds all of the topic with zstd: its batches have some hundred bytes.
for (const codec of ['uncompressed', 'zstd'])
  test(`a reader far ahead of its source stops fetching and decompressing: ${codec}`, { skip }, async () => {
    const topic = `${run}credit-${codec}`;
    await client.createTopic(topic, 1, { 'compression.type': codec });
    const row = { value: { text: 'x'.repeat(500_000) } };
    for (let i = 0; i < 80; i++) await client.send(topic, [row]);
    const before = await heldBytes();
    const source = read({ topic, from: 'earliest', until: 'latest', format: 'json' }, { roomPerPoll: 1 });
    await source.until('the first', () => source.rows.length > 0);
    source.isPaused = true;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const held = ((await heldBytes()) - before) / 2 ** 20;
    assert.ok(held < 16, `${held} MB are held of a topic of 38 MB`);
    source.resume();
    await source.ended();
    assert.equal(source.rows.length, 80);
  });

test(
  'a batch above maxBatchBytes is refused with its partition and offset, and the ones before it are read',
  { skip },
  async () => {
    const topic = `${run}limit`;
    await client.createTopic(topic, 1, { 'compression.type': 'zstd' });
    for (const length of [10, 10, 200_000, 10]) await client.send(topic, [{ value: { text: 'x'.repeat(length) } }]);
    const parameters = { topic, from: 'earliest', until: 'latest', format: 'json' } as const;
    const source = read({ ...parameters, maxBatchBytes: 100_000 });
    const error = await source.failed();
    assert.equal(error.code, 'kafka-unreadable');
    assert.ok(
      error.message.startsWith(
        `${topic}[0]@2 cannot be read: its batch holds more than 100,000 bytes, the limit for one batch.`,
      ),
      error.message,
    );
    assert.equal(source.rows.length, 2);
    const all = read({ ...parameters, maxBatchBytes: 300_000 });
    await all.ended();
    assert.equal(all.rows.length, 4);
  },
);

test('a program that is bundled into one file reads topics as well', { skip }, async () => {
  const topic = await filled('bundled', 2, numbered(50, 2));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
  const program = join(folder, 'program.mjs');
  await build({
    stdin: {
      contents: `
        import { Environment } from './index.ts';
        import { isReaderThread } from './connectors/kafka/reader-thread.ts';
        if (!isReaderThread())
          new Environment().kafka(${JSON.stringify(topic)}, { until: 'latest' }).toArray()
            .then((rows) => console.log(rows.length));`,
      resolveDir: join(import.meta.dirname, '../..'),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  const output = await promisify(execFile)(process.execPath, [program], { env: process.env, timeout: 300_000 });
  rmSync(folder, { recursive: true });
  assert.deepEqual(output, { stdout: '50\n', stderr: '' });
});
