// Opens a peek: compiles its filter and finds where each partition is read from.
import type { Connection } from '../../engine/connections/connection.ts';
import { mayPass } from '../../engine/connectors/kafka/brokers.ts';
import type { ReadRequest } from '../../engine/connectors/kafka/reader-messages.ts';
import type { SplitPosition } from '../../engine/connectors/kafka/split.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import type { PartitionLine, PeekFrom, PeekNews, PeekRequest } from '../protocol/browse.ts';
import type { BrowsedCluster } from './browsed-cluster.ts';
import { compileFilter } from './filter.ts';
import { PeekReader } from './peek-reader.ts';
import { PeekedValues } from './peeked-values.ts';
import { Peek } from './peek.ts';

/** Records that are shown before those that come, over all partitions. */
const newestRecords = 100;

/** Errors: FilterProblem, and SluiceErrors of a topic that is not there or may not be read. */
export async function openPeek(
  { peek: id, topic, from, filter }: PeekRequest,
  connection: Connection,
  cluster: BrowsedCluster,
  send: (news: PeekNews) => void,
): Promise<Peek> {
  const compiled = filter.trim() === '' ? undefined : await compileFilter(filter);
  const lines = await cluster.partitions(topic).catch((error: unknown) => {
    // The reader tries again, and says what keeps it.
    if (mayPass(error)) return [];
    throw error;
  });
  checkOffset(topic, from, lines);
  const byPartition = new Map(lines.map((line) => [line.partition, line]));
  const changed = (): void => peek?.changed();
  const reader = new PeekReader({
    connection,
    topic,
    from: readFrom(from),
    start: (found) => startOf(found, from, byPartition),
    onChange: changed,
  });
  const values = new PeekedValues(connection.name, changed);
  const isLive = from.kind === 'newest';
  // Assigned before the reader has anything, because it asks a broker first.
  const peek: Peek | undefined = new Peek({ id, topic, isLive, filter: compiled, values, reader, send });
  return peek;
}

function readFrom(from: PeekFrom): ReadRequest['from'] {
  switch (from.kind) {
    case 'newest':
      return 'latest';
    case 'earliest':
    case 'offset':
      return 'earliest';
    case 'time':
      return { timestamp: from.time };
  }
}

/** The offset to read from. `found` is that of `readFrom`. undefined: the partition is not read. */
function startOf(
  { partition, offset }: SplitPosition,
  from: PeekFrom,
  lines: ReadonlyMap<number, PartitionLine>,
): number | undefined {
  const { begin = 0, end = offset } = lines.get(partition) ?? {};
  switch (from.kind) {
    case 'newest': {
      // What came since the lines were read is shown too.
      const share = Math.ceil(newestRecords / Math.max(1, lines.size));
      return lines.has(partition) ? Math.max(begin, Math.min(end, offset) - share) : offset;
    }
    case 'offset':
      if (from.partition !== undefined && from.partition !== partition) return undefined;
      return Math.max(offset, Math.min(from.offset, Math.max(end, offset)));
    case 'earliest':
    case 'time':
      return offset;
  }
}

function checkOffset(topic: string, from: PeekFrom, lines: readonly PartitionLine[]): void {
  if (from.kind !== 'offset' || from.partition === undefined || lines.length === 0) return;
  const line = lines.find(({ partition }) => partition === from.partition);
  if (!line)
    throw new SluiceError(
      'kafka-bad-offsets',
      `${topic} has the partitions 0 to ${lines.length - 1}, and no ${from.partition}. Choose one of them.`,
    );
  const { begin, end } = line;
  if (begin === undefined || end === undefined || (from.offset >= begin && from.offset <= end)) return;
  throw new SluiceError(
    'kafka-bad-offsets',
    `${topic}[${from.partition}] holds the offsets ${begin} to ${end}. Choose one of them instead of ${from.offset}.`,
  );
}
