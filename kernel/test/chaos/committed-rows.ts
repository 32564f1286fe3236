// The committed rows of topics while the chaos goes on, as Java's own consumer reads them: Kafka's
// console consumer at read_committed. kafkajs 2.2.4 is no judge here: of several aborted
// transactions it looks at one for each record, and so it drops committed rows and shows aborted
// ones.
//
// After an outage a row may be read again. Each offset counts once.
import { followTopics } from '../../../engine/test/kafka/console-consumer.ts';

export interface CommittedRow {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}
export interface CommittedRows {
  rows(topic: string): readonly CommittedRow[];
  count(topic: string): number;
  close(): Promise<void>;
}
export interface FollowOptions {
  readonly brokers: string;
  /** They exist. */
  readonly topics: readonly string[];
  /** The topic of a row: the console consumer does not print it. */
  readonly topicOf: (value: string) => string;
  readonly onRow?: (topic: string, value: string) => void;
}

export async function followCommitted({ brokers, topics, topicOf, onRow }: FollowOptions): Promise<CommittedRows> {
  const byTopic = new Map(topics.map((topic) => [topic, new Map<string, CommittedRow>()]));
  const consumer = await followTopics(brokers, topics, ['partition', 'offset']);
  consumer.lines.on('line', (line) => {
    const row = rowOf(line);
    if (!row) return;
    const topic = topicOf(row.value);
    const rows = byTopic.get(topic);
    if (!rows) throw new Error(`A row is of no topic: ${row.value}`);
    rows.set(`${row.partition} ${row.offset}`, row);
    onRow?.(topic, row.value);
  });
  return {
    rows: (topic) => [...byTopic.get(topic)!.values()],
    count: (topic) => byTopic.get(topic)!.size,
    close: () => consumer.close(),
  };
}

/** Partition:0 ─ Offset:12 ─ the value, with tabs between them. */
function rowOf(line: string): CommittedRow | undefined {
  const [, partition, offset, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line) ?? [];
  return value === undefined ? undefined : { partition: Number(partition), offset: Number(offset), value };
}
