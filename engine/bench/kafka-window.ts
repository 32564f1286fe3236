// Kafka topic → keyed tumbling window through Environment, against a bare kafkajs eachBatch + JSON.parse loop with a hand-written window: same topic, same results.
//
//   node engine/bench/kafka-window.ts [rows] [rounds]      each run is a process of its own; medians; exits with 1 only when the checksums differ
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { TopicWriter } from '../connectors/kafka/topic-writer.ts';
import { connectionNamed } from '../connectors/kafka/connections.ts';
import { count, Environment, max, sum, tumbling } from '../index.ts';
import { startBroker } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';

const goal = 0.7;
const partitions = 4;
const items = 5_000;
const windowMillis = 10_000;
const boundMillis = 2_000;
const begin = 1_700_000_000_000;
const topic = 'bench-window';

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly results: number;
  readonly checksum: number;
}
interface Result {
  readonly item: string;
  readonly start: number;
  readonly n: number;
  readonly cents: number;
  readonly max: number;
}
export interface KafkaWindowReport {
  readonly ratio: number;
  readonly goal: number;
  readonly isSame: boolean;
}

export async function kafkaWindow(rows = 1_000_000, rounds = 3): Promise<KafkaWindowReport> {
  const broker = await startBroker();
  try {
    process.env['SLUICE_BROKERS'] = broker.brokers;
    await fill(broker.brokers, rows);
    const runs: Record<'kafkajs' | 'sluice', Measured[]> = { kafkajs: [], sluice: [] };
    for (let round = 0; round < rounds; round++)
      for (const side of ['kafkajs', 'sluice'] as const) runs[side].push(runAlone(side, rows));
    console.log(
      `Kafka → window, ${rows.toLocaleString('en-US')} JSON rows, ${partitions} partitions, ${items.toLocaleString('en-US')} keys, medians of ${rounds}`,
    );
    console.log(
      `  ${cpus()[0]?.model ?? 'unknown machine'} × ${cpus().length}, Node ${process.version}, kafkajs 2.2.4`,
    );
    const medians = { kafkajs: median(runs.kafkajs), sluice: median(runs.sluice) };
    for (const side of ['kafkajs', 'sluice'] as const) {
      const { seconds, cpuSeconds, results, checksum } = medians[side];
      const rate = Math.round(rows / seconds / 1000);
      console.log(
        `  ${side.padEnd(8)} ${rate} k rows/s, ${((cpuSeconds / rows) * 1e6).toFixed(1)} µs CPU a row, ${results} results, checksum ${checksum}`,
      );
    }
    const ratio = medians.kafkajs.seconds / medians.sluice.seconds;
    console.log(`  ratio ${ratio.toFixed(2)} (goal ≥ ${goal})`);
    const all = [...runs.kafkajs, ...runs.sluice];
    const isSame = all.every(({ checksum, results }) => checksum === all[0]!.checksum && results === all[0]!.results);
    if (!isSame) console.log('  WRONG: the checksums differ');
    return { ratio, goal, isSame };
  } finally {
    await broker.stop();
  }
}

function median(runs: readonly Measured[]): Measured {
  return runs.toSorted((a, b) => a.seconds - b.seconds)[runs.length >> 1]!;
}
function runAlone(side: string, rows: number): Measured {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), side, String(rows)], {
    encoding: 'utf8',
    env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1', NODE_NO_WARNINGS: '1' },
  });
  if (status !== 0) throw new Error(`${side} failed:\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Measured;
}

/** Rows of about 131 bytes, ten for each millisecond of event time, keyed by item. */
async function fill(brokers: string, rows: number): Promise<void> {
  const client = await independentClient(brokers);
  if ((await client.admin.listTopics()).includes(topic)) throw new Error(`The broker has a topic ${topic} already.`);
  await client.createTopic(topic, partitions);
  await client.close();
  let progress = Promise.withResolvers<void>();
  const writer = new TopicWriter(connectionNamed(undefined), topic, {
    onProgress: () => {
      progress.resolve();
      progress = Promise.withResolvers();
    },
    onFailure: (error) => progress.reject(error),
  });
  const pad = 'abcdefghijklmnopqrstuvwxyz0123456789';
  for (let n = 0; n < rows; n++) {
    while (!writer.takesRows) await progress.promise;
    const item = `item-${(n * 7919) % items}`;
    const time = begin + Math.floor(n / 10);
    writer.append(
      item,
      `{"id":${1_000_000 + n},"user":"user-${n % 1000}","item":"${item}","cents":${(n * 31) % 100_000},"ts":${time},"ok":true,"note":"${pad.slice(n % 10, 26 + (n % 10))}"}`,
      time,
    );
  }
  writer.flush();
  while (!writer.isEmpty) await progress.promise;
  writer.close();
}

// ------------------------------------------------------------------------------------------------ one side, alone in its process

class Checksum {
  results = 0;
  sum = 0;
  add({ item, start, n, cents, max: most }: Result): void {
    let hash = 0x811c9dc5;
    for (let i = 0; i < item.length; i++) hash = mixed(hash, item.charCodeAt(i));
    for (const value of [start % 2 ** 31, n, cents, most]) hash = mixed(hash, value);
    this.sum = (this.sum + hash) >>> 0;
    this.results++;
  }
}
function mixed(hash: number, value: number): number {
  const next = Math.imul(hash ^ value, 0x9e3779b1);
  return next ^ (next >>> 15);
}

async function sluice(): Promise<Measured> {
  const checksum = new Checksum();
  const environment = new Environment();
  environment
    .kafka<{ item: string; cents: number; ts: number }>(topic, {
      from: 'earliest',
      until: 'latest',
      timestamp: 'ts',
      watermark: { outOfOrderness: `${boundMillis}ms` },
    })
    .keyBy('item')
    .window(tumbling(`${windowMillis}ms`))
    .aggregate({ n: count(), cents: sum('cents'), max: max('cents') })
    .sink(({ item, windowStart, n, cents, max: most }) =>
      checksum.add({ item, start: windowStart.getTime(), n, cents, max: most! }),
    );
  const job = await environment.execute();
  // From the first record, as on the other side: joining a group takes time that is not measured here either.
  while (!job.metrics().operators.some(({ recordsIn }) => recordsIn > 0))
    await new Promise((resolve) => setTimeout(resolve, 2));
  const stop = stopwatch();
  await job.finished;
  return { ...stop(), results: checksum.results, checksum: checksum.sum };
}

async function bareKafkajs(rows: number): Promise<Measured> {
  const checksum = new Checksum();
  interface Open {
    n: number;
    cents: number;
    max: number;
  }
  const states = Array.from({ length: partitions }, () => ({
    newest: 0,
    windows: new Map<number, Map<string, Open>>(),
  }));
  const close = (windows: Map<number, Map<string, Open>>, watermark: number): void => {
    for (const [start, byItem] of windows) {
      if (start + windowMillis - 1 > watermark) continue;
      for (const [item, { n, cents, max: most }] of byItem) checksum.add({ item, start, n, cents, max: most });
      windows.delete(start);
    }
  };
  const consumer = new kafkajs.Kafka({
    brokers: process.env['SLUICE_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({ groupId: `bench-${process.pid}`, maxBytesPerPartition: 4 << 20, maxBytes: 16 << 20, minBytes: 1 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  let stop: ReturnType<typeof stopwatch> | undefined;
  const done = Promise.withResolvers<Measured>();
  await consumer.run({
    partitionsConsumedConcurrently: partitions,
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async ({ batch }) => {
      stop ??= stopwatch();
      const state = states[batch.partition]!;
      for (const message of batch.messages) {
        const { item, cents, ts } = JSON.parse(message.value!.toString()) as {
          item: string;
          cents: number;
          ts: number;
        };
        if (ts > state.newest) state.newest = ts;
        const start = ts - (ts % windowMillis);
        let byItem = state.windows.get(start);
        if (!byItem) {
          // A window begins: others may be over.
          close(state.windows, state.newest - boundMillis - 1);
          state.windows.set(start, (byItem = new Map()));
        }
        const open = byItem.get(item);
        if (!open) byItem.set(item, { n: 1, cents, max: cents });
        else {
          open.n++;
          open.cents += cents;
          if (cents > open.max) open.max = cents;
        }
      }
      seen += batch.messages.length;
      if (seen < rows) return;
      for (const { windows } of states) close(windows, Infinity);
      done.resolve({ ...stop(), results: checksum.results, checksum: checksum.sum });
    },
  });
  return await done.promise;
}

function stopwatch(): () => { seconds: number; cpuSeconds: number } {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , side, rows = '1000000'] = process.argv;
  if (side === 'sluice' || side === 'kafkajs') {
    const measured = side === 'sluice' ? await sluice() : await bareKafkajs(Number(rows));
    process.stdout.write(JSON.stringify(measured), () => process.exit(0));
  } else {
    const { isSame } = await kafkaWindow(Number(side ?? 1_000_000), Number(process.argv[3] ?? 3));
    process.exitCode = isSame ? 0 : 1;
  }
}
