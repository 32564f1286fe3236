// A partition that cannot be read on a real broker: it stops with its error, and the other
// partitions and topics go on.
import assert from 'node:assert/strict';
import { CompressionTypes } from 'kafkajs';
import { test } from 'vitest';
import { savedSplits } from '../../../engine/test/connectors/saved-state.ts';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { sourceDrivers } from '../../../engine/test/kafka/source-driver.ts';
import { Folder, sluice } from '../cli/sluice.ts';
import { LiveSession } from '../session-live/live-session.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));
const read = sourceDrivers();

const rows = (from: number, count: number, partition: number) =>
  Array.from({ length: count }, (_, i) => ({ partition, value: { n: from + i } }));
/** A batch that is larger than a read with `maxBatchBytes: 10_000` takes. */
async function sendLarge(topic: string, partition: number): Promise<void> {
  const messages = [{ partition, value: JSON.stringify({ text: 'x'.repeat(50_000) }) }];
  await client.producer.send({ topic, messages, compression: CompressionTypes.GZIP });
}

test('records that retention has deleted end their partition alone, also after a restart', { skip }, async () => {
  const topic = `expired-${process.pid}`;
  await client.createTopic(topic, 2);
  await client.send(topic, [...rows(0, 50, 0), ...rows(100, 50, 1)]);
  const parameters = { topic, from: 'earliest', format: 'json' } as const;
  const first = read(parameters, { roomPerPoll: 10 });
  await first.until('the first rows', () => first.rows.length >= 10);
  first.isPaused = true;
  const snapshot = first.snapshot();
  const before = first.rows.length;
  const [position] = savedSplits(snapshot).splits.map(({ offset }) => offset);
  first.close();
  await client.deleteBefore(topic, 0, 50);
  const watermark = { outOfOrdernessMillis: 0, idlenessMillis: Infinity };
  const source = read({ ...parameters, watermark }, { snapshot });
  await source.until('the error', () => source.failures.length > 0);
  assert.ok(position! < 50, 'some of its rows are still to come');
  assert.deepEqual(source.failures[0]!.names, [`${topic}[0]`]);
  assert.equal(source.failures[0]!.error.code, 'kafka-offset-gone');
  assert.match(source.failures[0]!.error.message, new RegExp(`^${topic}\\[0\\] begins at offset 50 now`));
  await source.until('the other partition', () => before + source.rows.length >= position! + 50);
  await client.send(topic, rows(150, 10, 1));
  await source.until('its later rows', () => before + source.rows.length >= position! + 60);
  assert.ok(source.rows.every(({ partition }) => partition === 1));
  await source.until('time', () => source.watermarks.length > 0);
  const saved = savedSplits(source.snapshot());
  assert.equal(saved.splits[0]!.offset, position, 'the position stays');
});

test(
  'a batch that is too large ends its topic of a pattern alone; a run ends with 1',
  { skip, timeout: 300_000 },
  async (t) => {
    const name = (end: string): string => `p${process.pid}-${end}`;
    await client.createTopic(name('a'), 2);
    await client.createTopic(name('b'), 1);
    await client.send(name('a'), [...rows(0, 20, 0), ...rows(20, 20, 1)]);
    await client.send(name('b'), rows(40, 20, 0));
    await sendLarge(name('b'), 0);
    const path = new Folder(t).write(
      'shops.sluice.ts',
      `import { kafka } from 'sluice';
// %% id=rows
const all = kafka<{ n: number }>(/^p${process.pid}-/, {
  from: 'earliest', until: 'latest', format: 'json', maxBatchBytes: 10_000,
});
all.show();
// %% id=count
all.keyBy(() => 'all').reduce((a, b) => ({ n: Math.max(a.n, b.n) })).show();
`,
    );
    const { code, lines, err } = await sluice('run', '--json', path);
    assert.equal(code, 1, err);
    const numbers = lines.flatMap(({ cell, row }) => (cell === 'rows' && row ? (row as { n: number }).n : []));
    assert.deepEqual(
      numbers.sort((a, b) => a - b).slice(0, 40),
      Array.from({ length: 40 }, (_, n) => n),
    );
    const errors = lines.flatMap(({ cell, error }) => (error ? [[cell, error.code, error.message]] : []));
    assert.equal(errors.length, 1, JSON.stringify(errors));
    const [[cell, kind, message]] = errors as [string[]];
    assert.deepEqual([cell, kind], ['rows', 'kafka-unreadable']);
    assert.match(message!, /-b\[0\]@\d+ cannot be read: its batch holds more than 10,000 bytes/);
    const source = lines.at(-1)!.metrics!.operators.find(({ failedPartitions }) => failedPartitions !== undefined);
    const [failed] = source!['failedPartitions'] as { partition: string; offset: number }[];
    assert.equal(failed!.partition, `${name('b')}[0]`);
  },
);

test('a cell shows the error of its partition and stays live; the next run tries it again', { skip }, async () => {
  const topic = `live-${process.pid}`;
  await client.createTopic(topic, 2);
  await using session = new LiveSession();
  session.edit(
    'rows',
    `import { kafka } from 'sluice';
kafka('${topic}', { from: 'earliest', format: 'json', maxBatchBytes: 10_000 }).show();`,
  );
  await session.ran('rows');
  await client.send(topic, rows(0, 5, 1));
  await sendLarge(topic, 0);
  const state = await session.until(
    () => session.state('rows')!,
    ({ errors }) => errors.length > 0,
    'the error',
  );
  assert.match(state.errors[0]!.message, /^live-\d+\[0\]@0 cannot be read/);
  await session.until(
    () => session.state('rows')!.trouble,
    (trouble) => trouble !== undefined,
    'the trouble',
  );
  assert.match(session.state('rows')!.trouble!, /\[0\] at offset 0 has stopped with an error; the others go on$/);
  await client.send(topic, rows(5, 5, 1));
  await session.until(
    () => session.total('rows'),
    (total) => total === 10,
    'the rows of the other partition',
  );
  assert.equal(session.state('rows')!.phase, 'live');
  await client.deleteBefore(topic, 0, 1);
  await session.ran('rows');
  await client.send(topic, rows(10, 5, 0));
  await session.until(
    () => session.total('rows'),
    (total) => total === 15,
    'the rows of both partitions',
  );
  assert.deepEqual(session.state('rows')!.errors, []);
});
