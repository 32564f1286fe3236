// The records of a topic without transactions, as another client (kafkajs) reads them while the
// chaos goes on. Each offset counts once, so an outage of the broker doubles nothing.
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import type { CommittedRow } from './committed-rows.ts';

export interface FollowedTopic {
  records(): readonly CommittedRow[];
  count(): number;
  close(): Promise<void>;
}

export async function followTopic({ kafka }: IndependentClient, topic: string): Promise<FollowedTopic> {
  const byPlace = new Map<string, CommittedRow>();
  const consumer = kafka.consumer({
    groupId: `followed-${process.pid}-${topic}`,
    // New partitions are found soon.
    metadataMaxAge: 1_000,
    retry: { retries: 1_000, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      const { offset, value } = message;
      byPlace.set(`${partition} ${offset}`, { partition, offset: Number(offset), value: String(value) });
      return Promise.resolve();
    },
  });
  return {
    records: () => [...byPlace.values()],
    count: () => byPlace.size,
    close: () => consumer.disconnect(),
  };
}
