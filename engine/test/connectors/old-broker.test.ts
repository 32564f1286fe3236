// The requests for brokers before Kafka 3.1, and their answers as Kafka 2.4.1 gave them:
// old-broker/recorder.ts has recorded the bytes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { FetchedBatches } from '../../connectors/kafka/fetched-batches.ts';
import { TopicContact } from '../../connectors/kafka/topic-contact.ts';
import { rowsOf } from './made-batches.ts';
import { type Asked, questions } from './old-broker/questions.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

interface Recorded {
  readonly request: string;
  readonly answer: string;
}
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'old-broker/recorded.json'), 'utf8')) as Record<
  keyof typeof questions,
  Recorded
>;
function answerTo<Name extends keyof typeof questions>(
  name: Name,
): (typeof questions)[Name] extends Asked<infer Answer> ? Answer : never {
  return questions[name].read(Buffer.from(recorded[name].answer, 'base64')) as never;
}

test('the requests are those that the broker has answered', () => {
  for (const [name, asked] of Object.entries(questions))
    assert.equal(asked.request().toString('hex'), recorded[name as keyof typeof questions].request, name);
});

test('metadata has the leaders and their epochs, no ids, and an error for a topic that is not there', () => {
  const partitions = [0, 1].map((partition) => ({ partition, leader: 1, epoch: 0, inSync: 1, replicas: 1 }));
  const topic = { error: 0, topic: 'old', id: undefined, internal: false, partitions };
  const { brokers, topics } = answerTo('metadata');
  assert.deepEqual(topics, [topic, { ...topic, error: 3, topic: 'missing', partitions: [] }]);
  assert.equal(brokers[0]!.node, 1);
  assert.match(brokers[0]!.address, /^127\.0\.0\.1:\d+$/);
  const all = answerTo('metadata of all').topics.map((one) => [one.topic, one.internal]);
  assert.deepEqual(all, [
    ['__transaction_state', true],
    ['old', false],
  ]);
});

test('offsets are found at both ends and by time', () => {
  const found = (name: 'earliest' | 'latest' | 'by time') =>
    answerTo(name).map(({ error, offset, epoch }) => [error, offset, epoch]);
  assert.deepEqual(found('earliest'), [
    [0, 0, 0],
    [0, 0, 0],
  ]);
  // Two transactions of one record, each with its mark.
  assert.deepEqual(found('latest'), [
    [0, 6, 0],
    [0, 4, 0],
  ]);
  assert.deepEqual(found('by time'), [
    [0, 2, 0],
    [0, 0, 0],
  ]);
  assert.deepEqual(answerTo('end of epoch'), [
    { error: 0, partition: 0, epoch: 0, endOffset: 6 },
    { error: 0, partition: 1, epoch: -1, endOffset: -1 },
  ]);
});

test('a fetch by name has the records, plain and compressed, without those of an aborted transaction', () => {
  const { error, throttleMillis, partitions } = answerTo('records');
  assert.deepEqual([error, throttleMillis], [0, 0]);
  const [plain, transactional] = partitions;
  assert.deepEqual([plain!.topic, plain!.highWatermark, plain!.lastStable], ['old', 6, 6]);
  const { columns, next } = new FetchedBatches(plain!).read(0, Infinity)!;
  assert.deepEqual(
    rowsOf(columns).map(({ value, offset, timestamp }) => [String(value), offset, timestamp]),
    [0, 1, 2, 3, 4, 5].map((n) => [String(n), n, 1_000 + n]),
  );
  assert.equal(next, 6);
  assert.deepEqual(transactional!.aborted, [{ producer: 1n, firstOffset: 0 }]);
  const aborted = new FetchedBatches(transactional!).read(0, Infinity)!;
  assert.equal(aborted.columns.count, 0);
  assert.ok(aborted.next > 0);
});

test('a fetch beyond the end, and one of a partition that is not there, have errors and no records', () => {
  const answers = answerTo('out of range').partitions.map(({ partition, error, start, end }) => [
    partition,
    error,
    end - start,
  ]);
  assert.deepEqual(answers, [
    [0, 1, 0],
    [9, 3, 0],
  ]);
});

test('a producer gets its number; without the right IDEMPOTENT_WRITE the error names it', async () => {
  assert.deepEqual(answerTo('producer'), { error: 0, id: 2n, epoch: 0 });
  const { error } = answerTo('producer refused');
  const cluster = new ScriptedCluster([1]);
  cluster.producerError = error;
  const contact = new TopicContact({ brokers: ['127.0.0.1:9092'], setIn: 'SLUICE_BROKERS' }, cluster, 'old');
  await assert.rejects(contact.producer([0]), {
    code: 'kafka-not-allowed',
    message: /before Kafka 2\.8, for IDEMPOTENT_WRITE on the cluster\. Or give to\(\) `idempotent: false`\.$/,
  });
});

test('a batch that is written, one with a wrong checksum, and one for no partition have each their answer', () => {
  const { partitions, throttleMillis } = answerTo('batches written and refused');
  assert.deepEqual(
    partitions.map(({ partition, error }) => [partition, error]),
    [
      [0, 0],
      [1, 2],
      [9, 3],
    ],
  );
  assert.equal(throttleMillis, 0);
});
