// A broker no longer has the offset at which a partition is to be read on. If the topic's retention
// has deleted the records, the source's `offsetReset` decides: an error, or reading goes on where
// records are left and the source says what is lost. Everything else is an error: a topic that lost
// its end may have other records in their place.
import { SluiceError } from '../../errors/error.ts';
import type { OffsetReset } from '../../graph/parameters.ts';
import { type Brokers, TryAgain } from './brokers.ts';
import { isSameTopic, type Leaders, topicMadeAgain } from './leaders.ts';
import { earliestOffset, latestOffset, listOffsets } from './offset-requests.ts';
import type { AssignedSplit } from './placement.ts';
import type { Chunk, ReadRequest } from './reader-messages.ts';
import { GrowingColumns, heldBytes } from './record-columns.ts';
import { passesByItself } from './requests.ts';

/** Where a partition is read on, and where its committed records end. */
export interface ReadOn {
  readonly offset: number;
  readonly end: number;
}

/** An error: the partition cannot be read on, or (TryAgain) it is not known yet. */
export async function offsetGone(
  brokers: Brokers,
  leaders: Leaders,
  { split, next, end: until, leader, name }: AssignedSplit,
  { pattern, offsetReset }: Pick<ReadRequest, 'pattern' | 'offsetReset'>,
): Promise<Error | ReadOn> {
  const { topic, partition } = split;
  const view = (await leaders.look([topic])).get(topic)!;
  if (view.kind === 'there' && !isSameTopic(split, view.about))
    return pattern ? new TryAgain(`topic "${topic}" was made again`) : topicMadeAgain(split);
  const ask = async (time: number): Promise<number> => {
    const question = { topic, partitions: [{ partition, epoch: -1, time }] };
    const [answer] = await brokers.ask(leader!.node, listOffsets, question);
    if (!answer || passesByItself(answer.error))
      throw new TryAgain(`broker ${leader!.node} does not know the offsets of ${name}`);
    return answer.offset;
  };
  const begins = await ask(earliestOffset);
  if (next >= begins || offsetReset === undefined) return gone(split, name, next, begins);
  const end = await ask(latestOffset);
  // A bounded read ends at its end, wherever reading would go on.
  return { offset: Math.min(offsetReset === 'latest' ? end : begins, until), end };
}
function gone({ topic, partition }: AssignedSplit['split'], name: string, offset: number, begins: number): SluiceError {
  return new SluiceError(
    'kafka-offset-gone',
    offset < begins
      ? `${name} begins at offset ${begins} now: what was before it, ${offset} on, has been deleted by the topic's retention. Give kafka() offsetReset: "earliest" to go on with the records that are left, or run the cell again to start anew.`
      : `${name} has no offset ${offset} any more: the topic lost its end, or was deleted and created again. Run the cell again to start anew.`,
    { topic, partition, offset, begins },
  );
}

/**
 * Moves the split on. The chunk has no records and takes the source to the new offset: it comes
 * behind the chunks that the source has not emitted yet.
 */
export function skipTo(
  split: AssignedSplit,
  { offset, end }: ReadOn,
  request: Pick<ReadRequest, 'keys' | 'headers'>,
): Chunk {
  const columns = new GrowingColumns({ withKeys: request.keys, withHeaders: request.headers }).finish();
  const lost = { from: split.next, to: offset };
  split.next = offset;
  // The leader that wrote the record before it is not known, so there is nothing to check.
  split.epoch = -1;
  return {
    split: split.name,
    columns,
    ascii: true,
    next: offset,
    epoch: -1,
    end,
    bytes: Math.max(1, heldBytes(columns)),
    lost,
  };
}

/** What a source has lost of one partition. */
export interface LostOffsets {
  /** The first and the last offset. Between several gaps there are offsets that were read. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly gaps: number;
}
/** Part of the source's snapshot: by the name of the split. */
export interface LostState {
  readonly lost?: Readonly<Record<string, LostOffsets>>;
}

/** Most partitions that a note names. */
const mostNamed = 3;

/** Offsets that were deleted before the source read them, or that it skipped because of it. */
export class LostRecords {
  readonly #byName = new Map<string, LostOffsets>();

  /** From `from` on, `to` is the first that is not lost. */
  add(name: string, { from, to }: NonNullable<Chunk['lost']>): void {
    const { first = from, count = 0, gaps = 0 } = this.#byName.get(name) ?? {};
    this.#byName.set(name, { first, last: to - 1, count: count + to - from, gaps: gaps + 1 });
  }
  snapshot(): LostState {
    return this.#byName.size === 0 ? {} : { lost: Object.fromEntries(this.#byName) };
  }
  restore({ lost = {} }: LostState): void {
    for (const [name, offsets] of Object.entries(lost)) this.#byName.set(name, offsets);
  }

  /** The source's status, with what it says otherwise. */
  status<T extends { readonly note?: string }>(
    offsetReset: OffsetReset | undefined,
    other: T,
  ): T & { readonly mayBeMissing?: string; readonly note?: string } {
    if (this.#byName.size === 0) return other;
    const mayBeMissing = this.#text(offsetReset);
    const { note } = other;
    return { ...other, mayBeMissing, note: note === undefined ? mayBeMissing : `${note} ${mayBeMissing}` };
  }
  #text(offsetReset: OffsetReset | undefined): string {
    const all = [...this.#byName].sort(([, a], [, b]) => b.count - a.count);
    const named = all.slice(0, mostNamed).map(([name, lost]) => textOf(name, lost));
    const others = all.slice(mostNamed);
    const sum = others.reduce((total, [, { count }]) => total + count, 0);
    if (others.length > 0) named.push(`${others.length} more of its partitions lost ${sum.toLocaleString('en-US')}`);
    const went =
      offsetReset === 'latest'
        ? 'and reading went on at the end, so records that were still there are left out, too'
        : 'and reading went on at the earliest record that was left';
    return `${named.join('; ')}: the topic's retention deleted records before they were read, ${went}.`;
  }
}
function textOf(name: string, { first, last, count, gaps }: LostOffsets): string {
  const number = count.toLocaleString('en-US');
  if (gaps === 1) return `${name} lost the offsets ${first} to ${last} (${number})`;
  return `${name} lost ${number} of the offsets ${first} to ${last}, in ${gaps} gaps`;
}
