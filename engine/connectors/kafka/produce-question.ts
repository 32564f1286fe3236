// The next write request to a broker: which batches it has, and its content.
import type { BatchBuilder } from './batch-builder.ts';
import type { Cluster } from './cluster.ts';
import type { CompressionName } from './compress.ts';
import type { QueuedBatch } from './partition-queue.ts';
import type { ProduceQuestion } from './sink-requests.ts';
import type { TopicPartition } from './topic-partition.ts';

const requestBytes = 4 << 20;
const produceMillis = 30_000;

export type SentBatch = QueuedBatch<BatchBuilder>;
export type Batches = ReadonlyMap<TopicPartition, SentBatch>;

/**
 * One batch of each partition that this node leads, as far as they fit. Each request begins with
 * another partition, so that none starves.
 */
export function takeBatches(
  partitions: readonly TopicPartition[],
  turn: number,
  node: number,
  cluster: Pick<Cluster, 'leader'>,
): Batches {
  const batches = new Map<TopicPartition, SentBatch>();
  let size = 0;
  for (let i = 0; i < partitions.length; i++) {
    const one = partitions[(turn + i) % partitions.length]!;
    if (cluster.leader(one.partition) !== node || !one.maySend(node)) continue;
    if (size > 0 && size + one.nextSize > requestBytes) continue;
    size += one.nextSize;
    batches.set(one, one.take(node));
  }
  return batches;
}

export interface ProduceOptions {
  readonly topic: string;
  readonly acks: 'all' | 1 | 0;
  readonly compression: CompressionName;
  readonly transactionalId: string | undefined;
}
export function produceQuestion(
  { topic, acks, compression, transactionalId }: ProduceOptions,
  batches: Batches,
): ProduceQuestion {
  const isTransactional = transactionalId !== undefined;
  return {
    topic,
    transactionalId,
    // With acks 0 the leader answers too: only its answer shows that the leader has moved.
    acks: acks === 'all' ? -1 : 1,
    timeoutMillis: produceMillis,
    batches: [...batches].map(([{ partition }, { batch, stamp }]) => ({
      partition,
      bytes: stamp
        ? batch.stamped(stamp.producer.id, stamp.producer.epoch, stamp.sequence, compression, isTransactional)
        : batch.stamped(-1n, -1, -1, compression),
    })),
  };
}
