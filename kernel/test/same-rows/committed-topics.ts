// The committed records of several topics, as Java's console consumer reads them at read_committed.
// It does not print topics, so each record has the name of its topic as a header.
import { followTopics } from '../../../engine/test/kafka/console-consumer.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';

export interface CommittedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  /** As `name:value`, behind commas, without the name of the topic. */
  readonly headers: string;
  /** `noText`: it has none. */
  readonly key: string;
  readonly value: string;
}
/** A key, a value or the value of a header that is null. */
export const noText = '(null)';

/** The name of the header. */
export const topicHeader = 'topic';
const last = 'the last record of the topic';

const recordLine =
  /^CreateTime:(?<time>-?\d+)\tPartition:(?<partition>\d+)\tOffset:(?<offset>\d+)\ttopic:(?<topic>[^\t,]+)(?:,(?<headers>[^\t]*))?\t(?<key>[^\t]*)\t(?<value>.*)$/;

/**
 * By topic. Writes a last record into each partition: who reads it has read everything before it,
 * and then no transaction of before is open.
 */
export async function committedTopics(
  client: IndependentClient,
  brokers: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly CommittedRecord[]>> {
  let open = 0;
  for (const topic of topics) {
    const partitions = (await client.admin.fetchTopicOffsets(topic)).map(({ partition }) => partition);
    open += partitions.length;
    const headers = { [topicHeader]: topic };
    await client.producer.send({
      topic,
      messages: partitions.map((partition) => ({ partition, headers, value: last })),
    });
  }
  const found = new Map(topics.map((topic) => [topic, [] as CommittedRecord[]]));
  const printed = ['timestamp', 'partition', 'offset', 'headers', 'key'];
  const consumer = await followTopics(brokers, topics, printed, { 'null.literal': noText });
  for await (const line of consumer.lines) {
    const fields = recordLine.exec(line)?.groups;
    if (!fields) throw new Error(`A record has no topic as its header: ${line}`);
    const { time, partition, offset, topic, headers = '', key, value } = fields;
    if (value === last) open--;
    else
      found.get(topic!)!.push({
        ...{ partition: Number(partition), offset: Number(offset), timestamp: Number(time) },
        ...{ headers, key: key!, value: value! },
      });
    if (open === 0) break;
  }
  if (open > 0) throw new Error('The console consumer has ended before the last record.');
  await consumer.close();
  return found;
}
