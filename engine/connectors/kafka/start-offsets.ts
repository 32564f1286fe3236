// The offsets where reading starts and stops. `from` and `until` become an offset for each
// partition, once, when the partition is found.
import { SluiceError } from '../../errors/error.ts';
import type { StartFrom, StopAt } from '../../graph/parameters.ts';
import type { CommittedOffset } from './group-offsets.ts';
import { earliestOffset, latestOffset, type FoundOffset } from './offset-requests.ts';
import type { Split, SplitPosition } from './split.ts';

export interface Bounds {
  readonly from: StartFrom;
  readonly until?: StopAt;
}
/** For the partitions that answered: the first offset at or after the time, see `listOffsets`. */
export type AskOffsets = (time: number) => Promise<ReadonlyMap<number, FoundOffset>>;

/** The start and the end of the partitions that answered all questions. */
export async function startPositions(
  topic: Omit<Split, 'partition'>,
  { from, until }: Bounds,
  ask: AskOffsets,
  now: number,
  committed?: ReadonlyMap<number, CommittedOffset>,
): Promise<SplitPosition[]> {
  const fromTime = typeof from === 'object' && 'timestamp' in from ? from.timestamp : undefined;
  const untilTime = typeof until === 'object' ? until.timestamp : undefined;
  // The end is that of the committed records: an open transaction is beyond it.
  const [earliest, latest, first, last] = await Promise.all([
    ask(earliestOffset),
    ask(latestOffset),
    fromTime === undefined ? undefined : firstAt(ask, fromTime),
    untilTime === undefined ? undefined : firstAt(ask, untilTime),
  ]);
  const found: SplitPosition[] = [];
  for (const [partition, begin] of earliest) {
    const end = latest.get(partition);
    if (!end || (first && !first.has(partition)) || (last && !last.has(partition))) continue;
    const start =
      from === 'earliest'
        ? begin
        : from === 'latest'
          ? end
          : first
            ? orEnd(first.get(partition)!, end)
            : committed
              ? committedOffset(topic.topic, partition, committed.get(partition), begin, end)
              : givenOffset(topic.topic, partition, from, begin, end);
    const position = { ...topic, partition, offset: start.offset, epoch: start.epoch };
    if (until === undefined) found.push(position);
    else if (!last) found.push({ ...position, end: end.offset });
    else if (last.get(partition)!.offset !== none || untilTime! <= now)
      found.push({ ...position, end: orEnd(last.get(partition)!, end).offset });
    else found.push({ ...position, endTime: untilTime! });
  }
  return found;
}

const none = -1;
function orEnd(found: FoundOffset, end: FoundOffset): FoundOffset {
  return found.offset === none ? end : found;
}
/**
 * No record is from before 1970. Kafka takes such times for its marks of the earliest and the
 * latest offset.
 */
function firstAt(ask: AskOffsets, time: number): Promise<ReadonlyMap<number, FoundOffset>> {
  return ask(time < 0 ? earliestOffset : Math.ceil(time));
}

/** A partition without a committed offset is read from its earliest one. */
function committedOffset(
  topic: string,
  partition: number,
  committed: CommittedOffset | undefined,
  begin: FoundOffset,
  end: FoundOffset,
): { readonly offset: number; readonly epoch: number } {
  // Retention may have deleted records that the group has not read.
  if (!committed || committed.offset <= begin.offset) return begin;
  if (committed.offset <= end.offset) return committed;
  throw refused(
    topic,
    `${topic}[${partition}] ends at offset ${end.offset}, and the group has committed ${committed.offset}: the topic was made again. Give another \`from\`.`,
  );
}

/** Partitions that are not named are read from their earliest offset. */
function givenOffset(
  topic: string,
  partition: number,
  from: StartFrom,
  begin: FoundOffset,
  end: FoundOffset,
): { readonly offset: number; readonly epoch: number } {
  const text = typeof from === 'object' && 'offsets' in from ? from.offsets[partition] : undefined;
  if (text === undefined) return begin;
  const offset = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset))
    throw refused(
      topic,
      `"${text}" in \`from.offsets\` is not an offset of ${topic}[${partition}]. Give a whole number as a text, such as "0".`,
    );
  if (offset < begin.offset || offset > end.offset)
    throw refused(
      topic,
      `${topic}[${partition}] holds the offsets ${begin.offset} to ${end.offset}; \`from.offsets\` asks for ${text}. Give one of them, or leave the partition out: it is then read from offset ${begin.offset}.`,
    );
  return { offset, epoch: none };
}
/** Throws if `from.offsets` names a partition that the topic does not have. */
export function checkNamedPartitions(topic: string, from: StartFrom, partitions: readonly number[]): void {
  if (typeof from !== 'object' || !('offsets' in from)) return;
  for (const name of Object.keys(from.offsets))
    if (!partitions.includes(Number(name)))
      throw refused(
        topic,
        `${topic} has the partitions 0 to ${partitions.length - 1}; \`from.offsets\` names ${name}. Leave that one out.`,
      );
}

function refused(topic: string, message: string): SluiceError {
  return new SluiceError('kafka-bad-offsets', message, { topic });
}
