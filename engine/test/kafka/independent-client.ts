// kafkajs as its users call it: its own producer, consumer and admin. It fills topics and reads the
// state of a cluster. The product uses kafkajs too, but only its connections: what fetches, decodes
// and builds batches there is our own. Independent of both are Java's client and kcat
// (java-records.ts, kcat-records.ts).
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';

export interface IndependentClient {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  createTopic(
    topic: string,
    partitions?: number,
    config?: Readonly<Record<string, string>>,
    replicas?: number,
  ): Promise<void>;
  /** One JSON value per message. `partition` is the partition of each. */
  send(topic: string, messages: readonly TestMessage[]): Promise<void>;
  /** As retention does: the topic begins at `offset` afterwards. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  close(): Promise<void>;
}
export interface TestMessage {
  readonly partition?: number;
  readonly value: unknown;
  readonly timestamp?: number;
}

export async function independentClient(brokers: string): Promise<IndependentClient> {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    // A busy machine may need more than the second that kafkajs gives it.
    connectionTimeout: 30_000,
    retry: { initialRetryTime: 50, retries: 12 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  return {
    kafka,
    admin,
    producer,
    async createTopic(topic, numPartitions = 1, config = {}, replicationFactor = 1) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      const topics = [{ topic, numPartitions, configEntries, replicationFactor }];
      await admin.createTopics({ topics, waitForLeaders: false });
      await hasLeaders(admin, topic, numPartitions);
    },
    async send(topic, messages) {
      await producer.send({ topic, messages: messages.map(toMessage) });
    },
    async deleteBefore(topic, partition, offset) {
      // kafkajs takes the leaders from its cache. This call makes it ask the brokers.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },
    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

/**
 * Waits until each leader answers for its partitions. kafkajs repeats a whole request when one
 * partition is not ready, and then other partitions have their rows twice. The wait of kafkajs
 * itself fails when the broker does not know the topic yet.
 */
async function hasLeaders(admin: Admin, topic: string, partitions: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; ;) {
    try {
      if ((await admin.fetchTopicOffsets(topic)).length === partitions) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

export function toMessage({ partition = 0, value, timestamp }: TestMessage) {
  return {
    partition,
    value: typeof value === 'string' || value === null ? value : JSON.stringify(value),
    ...(timestamp !== undefined && { timestamp: String(timestamp) }),
  };
}

// kafkajs sets timers into the past on every connection, which Node 24 warns of.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning') process.stderr.write(`${warning.stack ?? warning.message}\n`);
});
