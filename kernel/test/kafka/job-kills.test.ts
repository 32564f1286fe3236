// A job over a topic whose executor, process, and process with its broker are killed again and
// again: its state goes on from the last checkpoint, and its output is at least once.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { startOwnBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient, type IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { endsOfExecutor, killSeed } from '../cli/killed-job.ts';
import { Folder, isRunning, killableCli, start, type Started } from '../cli/sluice.ts';
import { seeded } from '../session-live/seeded.ts';
import { type Event, eventOf, expectedRows, lastEvent, notebook, outputs, partitionOf } from './kill-rows.ts';

const partitions = 3;
const perBatch = 100;
/** Far above the time of a working job. */
const longestWaitMillis = 180_000;

const quota = { executor: 8, process: 9, 'process and broker': 3 } as const;
interface Kill {
  readonly what: keyof typeof quota;
  /** It first waits until this life of the executor has written rows. */
  readonly atWork: boolean;
  /** Milliseconds that it waits then. */
  readonly after: number;
  /** Batches that are sent before it. */
  readonly batches: number;
}

/** A function of the seed. SLUICE_KILLS: so many of them. */
function killsOf(seed: number): readonly Kill[] {
  const { next } = seeded(seed);
  const kills = Object.entries(quota).flatMap(([what, times]) =>
    Array.from({ length: times }, () => {
      const atWork = what === 'executor' || next() < 0.7;
      const [after, batches] = [Math.floor(next() * 900), 1 + Math.floor(next() * 4)];
      return { order: next(), kill: { what: what as Kill['what'], atWork, after, batches } };
    }),
  );
  return kills
    .toSorted((a, b) => a.order - b.order)
    .map(({ kill }) => kill)
    .slice(0, Number(process.env['SLUICE_KILLS'] ?? Infinity));
}

/** What another client reads of these topics, each offset once and in its order. */
async function followed(
  { kafka }: IndependentClient,
  topics: readonly string[],
): Promise<{ rows(topic: string): readonly string[]; close(): Promise<void> }> {
  const byTopic = new Map(topics.map((topic) => [topic, new Map<string, string>()]));
  const consumer = kafka.consumer({ groupId: 'followed', retry: { retries: 100, initialRetryTime: 100 } });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic, partition, message }) => {
      byTopic.get(topic)!.set(`${partition}@${message.offset}`, String(message.value));
      return Promise.resolve();
    },
  });
  return { rows: (topic) => [...byTopic.get(topic)!.values()], close: () => consumer.disconnect() };
}

test(
  'a job that is killed at random, by thread, by process and with its broker, counts on from its checkpoints',
  { skip: whyNoKafka() !== undefined, timeout: 1_200_000 },
  async (t) => {
    const broker = await startOwnBroker();
    const client = await independentClient(broker.brokers);
    vi.stubEnv('SLUICE_BROKERS', broker.brokers);
    t.onTestFinished(async () => {
      vi.unstubAllEnvs();
      await client.close();
      await broker.stop();
    });
    await client.createTopic('events', partitions);
    for (const topic of outputs) await client.createTopic(topic, 1);
    const path = new Folder(t).write('job.sluice.ts', notebook);
    const seed = killSeed();
    const kills = killsOf(seed);
    const lives: Started[] = [];
    const said = (text: string): string =>
      `${text}. SLUICE_SEED=${seed} SLUICE_KILLS=${kills.length} replays it. The last lives said:\n` +
      lives
        .slice(-2)
        .map((life) => life.err().slice(-3_000) + life.out().slice(-1_000))
        .join('\n---\n');
    let sent = 0;
    const send = async (events: readonly Event[]): Promise<void> => {
      const valueOf = (event: Event): string => JSON.stringify(event);
      await client.send(
        'events',
        events.map((event) => ({ partition: partitionOf(event, partitions), value: valueOf(event) })),
      );
    };
    const read = await followed(client, ['events', ...outputs]);
    t.onTestFinished(() => read.close());
    const begin = (): Started => {
      const life = start(['run', path, '--state', `${path}.state`], { command: killableCli });
      lives.push(life);
      return life;
    };
    let job = begin();
    t.onTestFinished(() => void job.child.kill('SIGKILL'));
    const until = async (isSo: () => boolean, what: string): Promise<void> => {
      for (const end = Date.now() + longestWaitMillis; !isSo(); await sleep(20)) {
        assert.ok(isRunning(job), said(`The job has ended before ${what}`));
        assert.ok(Date.now() < end, said(`Waited too long for ${what}`));
      }
    };

    for (const { what, atWork, after, batches } of kills) {
      const before = read.rows('rolling').length;
      for (let n = 0; n < batches; n++, sent += perBatch)
        await send(Array.from({ length: perBatch }, (_, i) => eventOf(sent + i)));
      if (atWork) await until(() => read.rows('rolling').length > before, 'rows');
      await sleep(after);
      // What had ended by itself was not killed.
      assert.ok(isRunning(job), said('The job has ended by itself'));
      const killed = job;
      if (what === 'executor') {
        const endsBefore = endsOfExecutor(killed.out());
        killed.child.kill('SIGUSR2');
        await until(() => endsOfExecutor(killed.out()) > endsBefore, 'the end of the executor');
        continue;
      }
      const broken = what === 'process and broker' ? broker.kill() : undefined;
      killed.child.kill('SIGKILL');
      await killed.ended;
      assert.equal(killed.child.signalCode, 'SIGKILL', said('A process has ended by itself'));
      await broken;
      if (broken) await broker.start();
      job = begin();
    }
    // Time goes on, so that all windows of the events close.
    await send(Array.from({ length: partitions }, (_, n) => lastEvent(n)));
    // After a restart of the broker, kafkajs may have sent a part of a batch twice: what counts is
    // what the topic holds.
    const offsets = await client.admin.fetchTopicOffsets('events');
    const held = offsets.reduce((sum, { high }) => sum + Number(high), 0);
    await until(() => read.rows('events').length === held, 'the other client to read the input');
    const events = read.rows('events').map((value) => JSON.parse(value) as Event);
    assert.equal(new Set(events.map(({ n, k }) => `${k} ${n}`)).size, sent + partitions, 'the topic has every event');
    const expected = expectedRows(events);
    const found = (topic: string): ReadonlySet<string> =>
      new Set(read.rows(topic).filter((row) => (JSON.parse(row) as { k: string }).k !== 'last'));
    const missing = (topic: (typeof outputs)[number]): readonly string[] => {
      const rows = found(topic);
      return [...expected[topic]].filter((row) => !rows.has(row));
    };
    for (const topic of outputs) {
      assert.ok(expected[topic].size > 50, `${topic} has rows`);
      await until(() => missing(topic).length === 0, `all rows of ${topic}`);
    }
    job.child.kill('SIGTERM');
    const { code, out } = await job.ended;
    assert.equal(code, 0, out);

    for (const topic of outputs)
      assert.deepEqual([...found(topic)].filter((row) => !expected[topic].has(row)).slice(0, 3), [], said(topic));
    // From its last checkpoint, and not from the beginning of the topic again.
    const goesOn = /The job goes on from the checkpoint of/;
    const firstThatGoesOn = lives.findIndex((life) => goesOn.test(life.out()));
    assert.ok(firstThatGoesOn > 0, said('No life has gone on'));
    // One that was killed early has not come so far.
    for (const life of lives.slice(firstThatGoesOn).filter(({ out: text }) => text().includes('● live')))
      assert.match(life.out(), goesOn, said('A life has begun anew'));
    // If each life read all again, it would be eight times the rows, and six times for each thread.
    const written = read.rows('rolling').length;
    if (kills.length === 20) assert.ok(written < 5 * sent, said(`${written} rows of ${sent} records`));
    // The state in the end, not only rows on the way.
    const lastByKey = new Map([...read.rows('rolling')].map((row) => [(JSON.parse(row) as { k: string }).k, row]));
    lastByKey.delete('last');
    assert.deepEqual([...lastByKey.values()].sort(), [...expected.last].sort(), said('the last sums'));
  },
);
