// The same rows as Avro and as JSON: a topic of a real broker → keyed tumbling window. Avro must
// not be slower. The schema is a file, so no registry is needed; a schema id costs 5 bytes a
// record.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { count, Environment, type KafkaOptions, max, sum, tumbling } from '../index.ts';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';
import { Checksum, fold, foldLong, hashStart, javaHashCode } from './checksum.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';

const rows = 1_000_000;
const partitions = 4;
const items = 5_000;
const topics = { avro: 'bench-avro', json: 'bench-json' };
const begin = 1_700_000_000_000;
const pad = 'abcdefghijklmnopqrstuvwxyz0123456789';
const fields = [
  ['id', 'long'],
  ['user', 'string'],
  ['item', 'string'],
  ['cents', 'int'],
  ['ts', 'long'],
  ['ok', 'boolean'],
  ['note', 'string'],
].map(([name, type]) => ({ name, type }));

interface Row {
  readonly item: string;
  readonly cents: number;
  readonly ts: number;
}

export const kafkaAvro: Comparison = {
  name: 'kafka-avro',
  title: `count, sum, max per item and 10 s of ${rows.toLocaleString('en-US')} Avro rows in ${partitions} partitions; the limit is the same rows as JSON`,
  warmUps: 0,
  missing: whyNoKafka,
  async prepare() {
    const broker = await startOwnBroker();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    process.env['SLUICE_BROKERS'] = broker.brokers;
    process.env['SLUICE_BENCH_SCHEMA'] = join(folder, 'row.avsc');
    writeFileSync(schemaFile(), JSON.stringify({ type: 'record', name: 'Row', fields }));
    await fill(broker.brokers);
    return async () => {
      await broker.stop();
      rmSync(folder, { recursive: true });
    };
  },
  sluice: () => countRows(topics.avro, { format: 'avro', schemaFile: schemaFile() }),
  limit: { name: 'json', goal: 1, run: () => countRows(topics.json, { format: 'json' }) },
};

/** Each side runs in a process of its own and reads the path from the environment. */
function schemaFile(): string {
  return process.env['SLUICE_BENCH_SCHEMA']!;
}

/** Ten rows for each millisecond of event time. */
async function fill(brokers: string): Promise<void> {
  const client = await independentClient(brokers);
  for (const topic of Object.values(topics)) await client.createTopic(topic, partitions);
  await client.close();
  const environment = new Environment();
  const made = environment.generate({ limit: rows, timestamp: 'ts' }, ({ n }) => ({
    id: 1_000_000 + n,
    user: `user-${n % 1000}`,
    item: `item-${(n * 7919) % items}`,
    cents: (n * 31) % 100_000,
    ts: begin + Math.floor(n / 10),
    ok: true,
    note: pad.slice(n % 10, 26 + (n % 10)),
  }));
  made.to(topics.avro, { key: 'item', format: 'avro', schemaFile: schemaFile() });
  made.to(topics.json, { key: 'item' });
  await (
    await environment.execute('fill')
  ).finished;
}

async function countRows(topic: string, format: Pick<KafkaOptions<Row>, 'format' | 'schemaFile'>): Promise<Measured> {
  const checksum = new Checksum();
  const environment = new Environment();
  environment
    .kafka<Row>(topic, {
      ...format,
      from: 'earliest',
      until: 'latest',
      timestamp: 'ts',
      watermark: { outOfOrderness: '2s' },
    })
    .keyBy('item')
    .window(tumbling('10s'))
    .aggregate({ n: count(), cents: sum('cents'), max: max('cents') })
    .sink(({ item, windowStart, n, cents, max: most }) =>
      checksum.add(
        fold(fold(fold(foldLong(fold(hashStart, javaHashCode(item)), windowStart.getTime()), n), cents), most),
      ),
    );
  const job = await environment.execute(topic);
  // Measures from the first record, as the other comparison with a topic does.
  while (!job.metrics().operators.some(({ recordsIn }) => recordsIn > 0))
    await new Promise((resolve) => setTimeout(resolve, 2));
  const finish = startMeasuring(rows);
  await job.finished;
  return finish(checksum);
}
