// The splits of a source, each with its position, and the chunks that were read and not emitted
// yet. A position is that after the last record that was emitted.
import type { PartitionStatus } from '../../contract/source.ts';
import type { SourceTime } from '../../time/source-time.ts';
import { type OpenChunk, openChunk } from './open-chunk.ts';
import type { Chunk, ToSource } from './reader-messages.ts';
import type { RecordFormats } from './record-formats.ts';
import { nameOf, type Split, type SplitPosition, type SplitState } from './split.ts';

const byName = new Intl.Collator('en', { numeric: true });

/** What the reader says of splits that it reads. */
export type SplitNews = Extract<ToSource, { kind: 'chunks' | 'ends' | 'silent' | 'ended' }>;

export class SourceSplits {
  readonly #time: SourceTime;
  readonly #formats: Pick<RecordFormats, 'look' | 'isHeld'>;
  /** Partitions of several topics are told apart by their topics. */
  readonly #hasTopics: boolean;
  readonly #states = new Map<string, SplitState>();
  readonly #unresolved = new Set<string>();
  #chunks: Chunk[] = [];
  /**
   * Chunks that were begun. Their splits have used up their share, are ahead of other sources, or
   * wait for a schema.
   */
  #setAside: OpenChunk[] = [];
  /** The finder has looked at the topic. */
  #hasLooked = false;

  constructor(time: SourceTime, formats: Pick<RecordFormats, 'look' | 'isHeld'>, hasTopics: boolean) {
    this.#time = time;
    this.#formats = formats;
    this.#hasTopics = hasTopics;
  }

  /** Every split that exists was found. Otherwise the others hold the end back. */
  get isComplete(): boolean {
    return this.#hasLooked && this.#unresolved.size === 0;
  }

  /** Takes in splits from the finder or from a snapshot. Returns those that are new. */
  assign(positions: readonly SplitPosition[]): SplitPosition[] {
    const added = positions.filter((position) => !this.#states.has(nameOf(position)));
    for (const position of added) {
      const { topic, topicId, partition, offset, epoch, end, endTime } = position;
      const name = nameOf(position);
      // A split that is silent from the start holds the watermark back until it is idle. One that
      // was not resolved does so already.
      const wasUnresolved = this.#unresolved.delete(name);
      const isEmpty = end !== undefined && offset >= end && !wasUnresolved;
      this.#states.set(name, {
        split: { topic, ...(topicId !== undefined && { topicId }), partition },
        name,
        next: offset,
        epoch,
        end,
        endTime,
        knownEnd: -Infinity,
        share: Infinity,
        time: isEmpty ? undefined : this.#timeOf(position),
      });
    }
    for (const position of added) this.#doneIfEnded(this.#states.get(nameOf(position))!);
    return added;
  }
  /** These splits exist, and it is not known where to begin. They hold time and the end back. */
  unresolved(splits: readonly Split[]): void {
    for (const split of splits) {
      if (this.#states.has(nameOf(split))) continue;
      this.#unresolved.add(nameOf(split));
      this.#timeOf(split);
    }
    this.#hasLooked = true;
  }
  /** Drops these splits and what was read of them. They hold time back no longer. */
  revoke(names: readonly string[]): void {
    for (const name of names) {
      const state = this.#states.get(name);
      if (state?.time !== undefined) this.#time.done(state.time);
      this.#states.delete(name);
    }
    const isKept = (name: string): boolean => this.#states.has(name);
    this.#chunks = this.#chunks.filter(({ split }) => isKept(split));
    this.#setAside = this.#setAside.filter(({ state }) => isKept(state.name));
  }
  #timeOf(split: Split): number {
    return this.#time.partition(this.#hasTopics ? nameOf(split) : split.partition);
  }
  /** What is shown of the partitions, in the order of their names: 2 comes before 10. */
  partitions(now: number): PartitionStatus[] {
    const states = new Map([...this.#states.values()].map((state) => [state.time, state]));
    return this.#time
      .partitions()
      .map((status, index) => ({ ...status, ...shownLag(states.get(index), now) }))
      .sort((a, b) => byName.compare(String(a.partition), String(b.partition)));
  }
  /** By topic and partition, in whatever order they were found. */
  positions(): SplitPosition[] {
    const states = [...this.#states.values()].sort(({ split: a }, { split: b }) =>
      a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
    );
    return states.map(({ split, next, epoch, end, endTime }) => ({
      ...split,
      offset: next,
      epoch,
      ...(end !== undefined && { end }),
      ...(endTime !== undefined && { endTime }),
    }));
  }

  // ---------------------------------------------------------------------------------------- chunks

  receive(news: SplitNews, now: number): void {
    switch (news.kind) {
      case 'chunks':
        return this.push(news.chunks);
      case 'ends':
        return this.ends(news.splits);
      case 'silent':
        return this.silent(news.splits, now);
      case 'ended':
        return this.ended(news.splits);
    }
  }
  push(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      const state = this.#states.get(chunk.split);
      if (!state) continue;
      this.#endsAt(state, chunk.end);
      this.#chunks.push(chunk);
    }
  }
  /** The present ends of splits that wait for room. */
  ends(splits: readonly { readonly split: string; readonly offset: number }[]): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (state) this.#endsAt(state, offset);
    }
  }
  /** The end does not go back: an answer that is handed over in pieces has an older one. */
  #endsAt(state: SplitState, offset: number): void {
    state.knownEnd = Math.max(state.knownEnd, offset);
  }
  /** The next chunk of a split that may be read, see `mayRead`. */
  take(holdsTime: boolean): OpenChunk | undefined {
    const aside = this.#setAside.findIndex(({ state }) => this.mayRead(state, holdsTime));
    if (aside >= 0) return this.#setAside.splice(aside, 1)[0];
    const index = this.#chunks.findIndex(({ split }) => this.mayRead(this.#states.get(split)!, holdsTime));
    const chunk = index > 0 ? this.#chunks.splice(index, 1)[0] : index === 0 ? this.#chunks.shift() : undefined;
    if (!chunk) return undefined;
    const open = openChunk(chunk, this.#states.get(chunk.split)!);
    this.#formats.look(open);
    return open;
  }
  setAside(open: OpenChunk): void {
    this.#setAside.push(open);
  }
  /** Its share is left, it waits for no schema, and it is not ahead of other sources. */
  mayRead(state: SplitState, holdsTime: boolean): boolean {
    if ((holdsTime && state.share <= 0) || this.#formats.isHeld(state.name)) return false;
    return state.time === undefined || !this.#time.isAhead(state.time);
  }
  /** The records of the chunk before `next` are emitted or rejected. */
  readTo({ chunk, state, at }: OpenChunk, next: number): void {
    if (next > state.next) {
      state.epoch = chunk.epoch;
      state.lastRead = chunk.columns.timestamps[at - 1]!;
    }
    state.next = next;
  }
  /** All records of the chunk are emitted. */
  finish({ chunk, state }: OpenChunk): void {
    state.next = chunk.next;
    state.epoch = chunk.epoch;
    if (chunk.isLast) state.end = chunk.next;
    this.#doneIfEnded(state);
  }
  /** The reader has found the end of splits whose `endTime` has passed. */
  ended(splits: readonly { readonly split: string; readonly offset: number }[]): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (!state) continue;
      state.end = offset;
      this.#doneIfEnded(state);
    }
  }
  /** These splits answered and had nothing. It is silence only if all that was read is emitted. */
  silent(splits: readonly { readonly split: string; readonly offset: number }[], now: number): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (state) this.#endsAt(state, offset);
      if (state?.time !== undefined && state.next === offset) this.#time.silent(state.time, now);
    }
  }
  clear(): void {
    this.#chunks = [];
    this.#setAside = [];
  }

  // ---------------------------------------------------------------------------------- ends and lags

  hasReachedEnd(): boolean {
    if (!this.isComplete) return false;
    for (const state of this.#states.values()) if (!hasEnded(state)) return false;
    return true;
  }
  /** Not for the last split, whose end is the end of the source. */
  #doneIfEnded(state: SplitState): void {
    if (state.time !== undefined && hasEnded(state) && !this.hasReachedEnd()) this.#time.done(state.time);
  }
  lag(): number {
    let sum = 0;
    for (const state of this.#states.values()) sum += lagOf(state);
    return sum;
  }
  awaits(holdsTime: boolean): boolean {
    for (const state of this.#states.values()) if (lagOf(state) > 0 && this.mayRead(state, holdsTime)) return true;
    return false;
  }
  /** As Spark does: each split by its lag, at least one record of each that has any. */
  share(records: number): void {
    const total = this.lag();
    const part = (state: SplitState): number => (total > 0 ? lagOf(state) / total : 1 / this.#states.size);
    for (const state of this.#states.values())
      state.share = records === Infinity ? Infinity : Math.max(1, Math.floor(records * part(state)));
  }
}

function hasEnded({ next, end }: SplitState): boolean {
  return end !== undefined && next >= end;
}
function lagOf({ next, knownEnd, end }: SplitState): number {
  return Math.max(0, Math.min(knownEnd, end ?? Infinity) - next);
}
/** Nothing if the end is not known. */
function shownLag(state: SplitState | undefined, now: number): Pick<PartitionStatus, 'lag' | 'lagMillis'> {
  if (!state || (state.knownEnd === -Infinity && !hasEnded(state))) return {};
  const lag = lagOf(state);
  const { lastRead } = state;
  // Kafka writes −1 for a record without a timestamp.
  if (lag === 0 || lastRead === undefined || lastRead < 0) return { lag };
  return { lag, lagMillis: Math.max(0, now - lastRead) };
}
