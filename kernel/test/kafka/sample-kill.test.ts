// The sixth sample on a real broker: its executor and its process are killed, and the topic of sums
// has each sum once, in its order.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { test, vi } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { type CommittedRow, followCommitted } from '../chaos/committed-rows.ts';
import { followTopic } from '../chaos/followed-topic.ts';
import { Folder, start } from '../cli/sluice.ts';

const sample = join(import.meta.dirname, '../../../samples/06-exactly-once.sluice.ts');
const killable = pathToFileURL(join(import.meta.dirname, '../chaos/killable-executor.ts')).href;

const topics = ['words', 'word-counts'];
/** The sample creates its topics with these. */
const partitions = [0, 1];
const end = JSON.stringify({ word: 'end' });

interface Word {
  readonly word: string;
  readonly frequency: number;
  readonly at: string;
}

test(
  '06 goes on after kills of its executor and of its process, and each sum is there once',
  { skip: whyNoKafka() !== undefined },
  async (t) => {
    const broker = await startBroker();
    const client = await independentClient(broker.brokers);
    let existing = await client.admin.listTopics();
    vi.stubEnv('SLUICE_BROKERS', broker.brokers);
    vi.stubEnv('NODE_OPTIONS', `--import ${killable}`);
    t.onTestFinished(async () => {
      vi.unstubAllEnvs();
      await client.close();
      await broker.stop();
    });
    const args = ['run', sample, '--state', join(dirname(new Folder(t).write('empty', '')), 'state')];
    let job = start(args);
    t.onTestFinished(() => void job.child.kill('SIGKILL'));
    while (!topics.every((topic) => existing.includes(topic))) {
      assert.equal(job.child.exitCode, null, job.out());
      await sleep(100);
      existing = await client.admin.listTopics();
    }
    const words = await followTopic(client, 'words');
    t.onTestFinished(() => words.close());
    const { brokers } = broker;
    const sums = await followCommitted({ brokers, topics: ['word-counts'], topicOf: () => 'word-counts' });
    t.onTestFinished(() => sums.close());
    const seen = (): number => sums.count('word-counts');
    /** More sums come. */
    const goesOn = async (): Promise<void> => {
      const before = seen();
      while (seen() < before + 20) {
        assert.equal(job.child.exitCode, null, job.out());
        await sleep(50);
      }
    };
    await goesOn();
    job.child.kill('SIGUSR2');
    while (!/restart/i.test(job.out())) {
      assert.equal(job.child.exitCode, null, job.out());
      await sleep(50);
    }
    await goesOn();
    job.child.kill('SIGKILL');
    await job.ended;
    const killedAt = seen();
    job = start(args);
    await goesOn();
    // What is in the topic by now has its sums before the job ends.
    const known = byWord(words.records());
    const missing = (): string[] => {
      const found = byWord(sums.rows('word-counts'));
      return [...known].flatMap(([word, { length }]) => ((found.get(word)?.length ?? 0) < length ? [word] : []));
    };
    while (missing().length > 0) {
      assert.equal(job.child.exitCode, null, `${missing().join()} ${job.out()}`);
      await sleep(50);
    }
    job.child.kill('SIGTERM');
    const { code, out, err } = await job.ended;
    assert.equal(code, 0, out + err);

    // Behind all rows comes a last one. Who has read it at read_committed has read all before it.
    await client.send(
      'word-counts',
      partitions.map((partition) => ({ partition, value: end })),
    );
    const ends = (): number => sums.rows('word-counts').filter(({ value }) => value === end).length;
    while (ends() < partitions.length) await sleep(50);
    const offsets = await client.admin.fetchTopicOffsets('words');
    const sent = offsets.reduce((sum, { high }) => sum + Number(high), 0);
    while (words.count() < sent) await sleep(50);

    assert.ok(seen() > killedAt + partitions.length);
    assert.deepEqual(missing(), []);
    const outputs = byWord(sums.rows('word-counts'));
    for (const [word, inputs] of byWord(words.records())) {
      const found = outputs.get(word) ?? [];
      outputs.delete(word);
      let total = 0;
      const expected = inputs.map((one) => ({ ...one, frequency: (total += one.frequency) }));
      assert.deepEqual(found, expected.slice(0, found.length), word);
    }
    assert.deepEqual([...outputs.keys()], [], 'each sum is of a word in the topic');
  },
);

/** What is in a topic by word, in its order. A word has one partition. */
function byWord(records: readonly CommittedRow[]): Map<string, Word[]> {
  const sorted = records.toSorted((a, b) => a.offset - b.offset);
  const words = sorted.flatMap(({ value }) => (value === end ? [] : [JSON.parse(value) as Word]));
  return Map.groupBy(words, ({ word }) => word);
}
