// One notebook as an exported Node job, as a live session, and as the same job on Kafka Streams: a
// topic → count, sum and max by item and 10 s → a topic, exactly-once with a commit each second.
//
// A side is a process that is killed when another client has read all committed results. It runs
// twice, over a topic and over one of a tenth of the rows. What counts is the difference, so the
// start of a process and the wait for its last commit do not count.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { independentClient } from '../test/kafka/independent-client.ts';
import { Checksum, fold, foldLong, hashStart, javaHashCode } from './checksum.ts';
import type { Comparison, Measured } from './comparison.ts';
import { fillTopic, partitions } from './kafka-window.ts';
import { streamsCommand, whyNoStreams } from './peers/kafka-streams.ts';

const rows = 2_000_000;
const windowMillis = 10_000;
const part = 10;

interface Total {
  readonly item: string;
  readonly start: number;
  readonly n: number;
  readonly cents: number;
  readonly max: number;
}
interface Run {
  readonly input: string;
  readonly output: string;
  readonly folder: string;
}

const notebook = `// %% id=orders
import { configure, count, kafka, max, param, sum, tumbling } from 'sluice';
configure({ checkpoint: { interval: '1s' } });
interface Order { item: string; cents: number; ts: number }
const orders = kafka<Order>(param('input', 'orders'), {
  until: 'latest', format: 'json', timestamp: 'ts', watermark: { outOfOrderness: '2s', idleness: '24h' },
});

// %% id=totals
const totals = orders.keyBy('item').window(tumbling('10s')).aggregate({ n: count(), cents: sum('cents'), max: max('cents') });

// %% id=out
totals.filter(({ item }) => item !== 'end')
  .map(({ item, windowStart, n, cents, max }) => ({ item, start: windowStart.getTime(), n, cents, max }))
  .to(param('output', 'totals'), { key: 'item', delivery: 'exactly-once' });
`;

let folder = '';
const root = join(import.meta.dirname, '../..');

export const exportedJob: Comparison = {
  name: 'export',
  title: `count, sum, max per item and 10 s of ${rows.toLocaleString('en-US')} JSON rows in ${partitions} partitions into a topic, exactly-once with a commit each second: the exported Node job beside the session of its notebook and Kafka Streams`,
  warmUps: 0,
  isProcess: true,
  missing: whyNoKafka,
  async prepare() {
    const broker = await startOwnBroker();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    writeFileSync(join(folder, 'window.sluice.ts'), notebook);
    const exporting = ['export', join(folder, 'window.sluice.ts'), '--target', 'node', '--out', join(folder, 'job')];
    execFileSync(process.execPath, [join(root, 'kernel/cli.ts'), ...exporting], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return async () => {
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    };
  },
  // Its checkpoints are files, its state is in memory.
  sluice: measuredBy(({ input, output, folder: state }) => ({
    command: [process.execPath, '--disable-warning=ExperimentalWarning', join(folder, 'job/job.cjs')],
    environment: {
      ...{ SLUICE_STATE_DIR: state, SLUICE_HTTP_PORT: 'off', SLUICE_APPLICATION_ID: output },
      ...{ SLUICE_PARAM_input: input, SLUICE_PARAM_output: output },
    },
  })),
  limit: {
    name: 'session',
    isProcess: true,
    run: measuredBy(({ input, output, folder: state }) => ({
      command: [
        ...[
          process.execPath,
          '--disable-warning=ExperimentalWarning',
          join(root, 'kernel/bench/session-of-notebook.ts'),
        ],
        ...[join(folder, 'window.sluice.ts'), state, JSON.stringify({ input, output })],
      ],
    })),
  },
  others: (['rocksdb', 'memory'] as const).map((store) => ({
    name: `kafka-streams-${store}`,
    goal: 1,
    isProcess: true,
    missing: whyNoStreams,
    run: measuredBy(({ input, output, folder: state }) => ({
      command: streamsCommand([store, process.env['SLUICE_BROKERS']!, input, output, state]),
    })),
  })),
};

interface Started {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

function measuredBy(start: (run: Run) => Started): (scale: number) => Promise<Measured> {
  return async (scale) => {
    const small = await once(start, rows / scale / part);
    const large = await once(start, rows / scale);
    return {
      records: large.records - small.records,
      seconds: large.seconds - small.seconds,
      cpuSeconds: large.cpuSeconds - small.cpuSeconds,
      results: large.results,
      checksum: large.checksum,
    };
  };
}

const filled = new Set<string>();

async function once(start: (run: Run) => Started, count: number): Promise<Measured> {
  const input = `bench-export-${count}`;
  const output = `${input}-${Date.now()}`;
  const client = await independentClient(process.env['SLUICE_BROKERS']!);
  const state = mkdtempSync(join(folder, 'state-'));
  let child: ChildProcess | undefined;
  try {
    if (!filled.has(input)) {
      await fillTopic(input, count);
      // Kafka Streams closes windows when a later record comes. A broker refuses times that are in
      // the future, in the changelog too.
      const end = Array.from({ length: partitions }, (_, partition) => ({
        partition,
        key: 'end',
        value: JSON.stringify({ item: 'end', cents: 0, ts: 1_700_100_000_000 }),
      }));
      await client.producer.send({ topic: input, messages: end });
      filled.add(input);
    }
    await client.createTopic(output, partitions);
    const expected = resultsOf(count);
    const checksum = new Checksum();
    let results = 0;
    const consumer = client.kafka.consumer({ groupId: output });
    await consumer.connect();
    await consumer.subscribe({ topic: output, fromBeginning: true });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const { value } of batch.messages) {
          const { item, start: from, n, cents, max } = JSON.parse(String(value)) as Total;
          checksum.add(fold(fold(fold(foldLong(fold(hashStart, javaHashCode(item)), from), n), cents), max));
          results++;
        }
        return Promise.resolve();
      },
    });
    await joined;
    const { command, environment } = start({ input, output, folder: state });
    const began = performance.now();
    child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let cpuSeconds = 0;
    while (results < expected) {
      // A job that ends by itself has no figures any more.
      cpuSeconds = cpuOf(child.pid!) ?? cpuSeconds;
      if (child.exitCode !== null && child.exitCode !== 0)
        throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
      await sleep(10);
    }
    const seconds = (performance.now() - began) / 1000;
    cpuSeconds = cpuOf(child.pid!) ?? cpuSeconds;
    await consumer.disconnect();
    return { records: count, seconds, cpuSeconds, results, checksum: checksum.sum };
  } finally {
    if (child && child.exitCode === null) {
      const gone = new Promise((resolve) => child!.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await client.close();
    rmSync(state, { recursive: true, force: true });
  }
}

/** Each item has a row in each window, except in the last one, which may be short. */
function resultsOf(count: number): number {
  const windows = new Set<string>();
  for (let n = 0; n < count; n++)
    windows.add(`${(n * 7919) % 5_000} ${Math.floor((1_700_000_000_000 + Math.floor(n / 10)) / windowMillis)}`);
  return windows.size;
}

/** CPU of all threads of a process. undefined: it is gone, or this is no Linux. */
function cpuOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}
