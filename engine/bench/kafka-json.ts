// A topic of a real broker → `.show()` → JSON lines of `sluice run --json` at a pipe, compared with
// a kafkajs loop that writes the same lines. Ours has the start of the command in its time.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import kafkajs from 'kafkajs';
import { startOwnBroker, whyNoKafka } from '../test/kafka/broker.ts';
import { Checksum, fold, hashStart } from './checksum.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';
import { fillTopic } from './kafka-window.ts';

const rows = 100_000;
const topic = 'bench-json-lines';
/** What ships: the sources take a second more to load. */
const cli = join(import.meta.dirname, '../../dist/cli.js');

export const kafkaJson: Comparison = {
  name: 'kafka-json',
  title: `${rows.toLocaleString('en-US')} JSON rows of a topic through .show() and run --json into a pipe, the start of the command included; the limit is a kafkajs loop that prints`,
  warmUps: 0,
  missing: () => (existsSync(cli) ? whyNoKafka() : 'dist/cli.js is missing: npm run build.'),
  async prepare() {
    const broker = await startOwnBroker();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    await fillTopic(topic, rows);
    return () => broker.stop();
  },
  sluice: printWithSluice,
  limit: { name: 'kafkajs', run: printWithKafkajs },
  figures: [{ name: 'all rows', unit: 's', most: 3 }],
};

async function printWithSluice(scale: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const notebook = join(folder, 'rows.sluice.ts');
  writeFileSync(
    notebook,
    `import { kafka } from 'sluice';
// %% id=rows
kafka('${topic}', { from: 'earliest', until: 'latest' }).take(${rows / scale}).show();
`,
  );
  const finish = startMeasuring(rows / scale);
  const child = spawn(process.execPath, [cli, 'run', '--json', notebook], { stdio: ['ignore', 'pipe', 'inherit'] });
  const checksum = await checksumOf(child.stdout, scale, (line) => (line as { row?: { cents: number } }).row?.cents);
  const measured = finish(checksum);
  rmSync(folder, { recursive: true });
  return { ...measured, cpuSeconds: NaN, figures: { 'all rows': measured.seconds } };
}

async function printWithKafkajs(scale: number): Promise<Measured> {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const consumer = new kafkajs.Kafka({
    brokers: process.env['SLUICE_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({ groupId: `bench-${process.pid}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let left = rows / scale;
  let finish: ReturnType<typeof startMeasuring> | undefined;
  const done = checksumOf(child.stdout, scale, (line) => (line as { row: { cents: number } }).row.cents);
  await consumer.run({
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async ({ batch }) => {
      finish ??= startMeasuring(rows / scale);
      const wanted = batch.messages.slice(0, left);
      left -= wanted.length;
      const lines = wanted.map(({ value }) => {
        const row: unknown = JSON.parse(value!.toString());
        return `${JSON.stringify({ cell: 'rows', row })}\n`;
      });
      child.stdin.write(lines.join(''));
      if (left === 0) child.stdin.end();
    },
  });
  const checksum = await done;
  const measured = finish!(checksum);
  await consumer.disconnect();
  return { ...measured, cpuSeconds: NaN, figures: { 'all rows': measured.seconds } };
}

/**
 * Which rows the first ones of the topic are depends on the order of the partitions, so the sum is
 * over all of them at full size, and the number of rows otherwise.
 */
async function checksumOf(
  out: Readable,
  scale: number,
  centsOf: (line: unknown) => number | undefined,
): Promise<{ results: number; sum: number }> {
  const checksum = new Checksum();
  for await (const line of createInterface({ input: out })) {
    const cents = centsOf(JSON.parse(line));
    if (cents !== undefined) checksum.add(fold(hashStart, cents));
  }
  const { results, sum } = checksum;
  return { results, sum: scale === 1 ? sum : results };
}
