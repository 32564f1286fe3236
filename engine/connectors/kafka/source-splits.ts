// The splits of a source, each with its position, and the chunks that were read and not emitted
// yet. A position is that after the last record that was emitted.
import type { SluiceError } from '../../errors/error.ts';
import type { PartitionStatus } from '../../contract/source.ts';
import type { SourceTime } from '../../time/source-time.ts';
import { ChunksInHand } from './chunks-in-hand.ts';
import { LostRecords } from './offset-gone.ts';
import { countRead, type OpenChunk, openChunk } from './open-chunk.ts';
import type { Chunk, SplitPlace, ToSource } from './reader-messages.ts';
import type { RecordFormats } from './record-formats.ts';
import { stoppedText } from './split-failure.ts';
import { nameOf, splitNamed, type Split, type SplitPosition, type SplitState } from './split.ts';

const byName = new Intl.Collator('en', { numeric: true });

/** What the reader says of splits that it reads. */
export type SplitNews = Extract<ToSource, { kind: 'chunks' | 'ends' | 'silent' | 'behind' | 'unanswered' | 'ended' }>;

export class SourceSplits {
  readonly #time: SourceTime;
  readonly #formats: Pick<RecordFormats, 'look' | 'isHeld'>;
  /** Partitions of several topics are told apart by their topics. */
  readonly #hasTopics: boolean;
  readonly #states = new Map<string, SplitState>();
  readonly #unresolved = new Map<string, Split>();
  /** Their numbers in the source's event time. */
  readonly #unresolvedTime = new Map<string, number>();
  /** Splits that failed before their start was known. */
  readonly #neverStarted = new Set<string>();
  #lastFailure: SluiceError | undefined;
  readonly #inHand = new ChunksInHand();
  readonly lost = new LostRecords();
  /** The finder has looked at the topic. */
  #hasLooked = false;
  /** See `needed`. */
  #isNeedKnown = false;

  constructor(time: SourceTime, formats: Pick<RecordFormats, 'look' | 'isHeld'>, hasTopics: boolean) {
    this.#time = time;
    this.#formats = formats;
    this.#hasTopics = hasTopics;
  }

  /** The splits that exist, and whose start is not known. */
  withoutStart(): Split[] {
    return [...this.#unresolved.values(), ...[...this.#neverStarted].map(splitNamed)];
  }
  /** Otherwise the splits whose start is not known hold the end back. */
  get #isResolved(): boolean {
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
        ...{ end, endTime, knownEnd: -Infinity },
        ...{ read: 0, inHand: 0, share: Infinity },
        time: isEmpty ? undefined : this.#timeOf(position),
      });
    }
    const states = added.map((position) => this.#states.get(nameOf(position))!);
    for (const state of states) this.#doneIfEnded(state);
    // A restored split was idle in its former life, and nobody has asked it since.
    this.#holdsBack(states, 'unknown');
    return added;
  }
  /** These splits exist, and it is not known where to begin. They hold time and the end back. */
  unresolved(splits: readonly Split[]): void {
    for (const split of splits) {
      if (this.#states.has(nameOf(split))) continue;
      this.#unresolved.set(nameOf(split), split);
      this.#unresolvedTime.set(nameOf(split), this.#timeOf(split));
    }
    this.#hasLooked = true;
  }
  /** Drops these splits and what was read of them. They hold time back no longer. */
  revoke(names: readonly string[]): void {
    for (const name of names) {
      const state = this.#states.get(name);
      const time = state ? state.time : this.#unresolvedTime.get(name);
      if (time !== undefined) this.#time.done(time);
      this.#states.delete(name);
      this.#unresolved.delete(name);
      this.#neverStarted.delete(name);
    }
    this.#inHand.keep((name) => this.#states.has(name));
  }
  /**
   * The reader has given these splits up. Their positions stay in the snapshot. When their records
   * in hand are emitted, they hold time and the end back no longer.
   */
  fail(names: readonly string[], failure: SluiceError): void {
    for (const name of names) {
      const state = this.#states.get(name);
      this.#lastFailure = failure;
      if (state) state.failure = failure;
      else this.#neverStarted.add(name);
      const time = state ? (hasStopped(state) ? state.time : undefined) : this.#unresolvedTime.get(name);
      this.#unresolved.delete(name);
      if (time !== undefined && !this.hasReachedEnd()) this.#time.done(time);
    }
  }
  /** The last failure, if no split is left: the reader has given all of them up. */
  get failureOfAll(): SluiceError | undefined {
    if (this.#lastFailure === undefined || !this.#isResolved) return undefined;
    for (const { failure } of this.#states.values()) if (!failure) return undefined;
    return this.#lastFailure;
  }
  /** Nothing of them is in hand. */
  get isDrained(): boolean {
    return this.#states.values().every(({ inHand }) => inHand === 0);
  }
  /** undefined: all splits go on. */
  get stopped(): string | undefined {
    if (this.#lastFailure === undefined) return undefined;
    const states = [...this.#states.values()].filter(({ failure }) => failure);
    const places = states.map(({ name, next }) => `${name} at offset ${next}`);
    return stoppedText([...places, ...this.#neverStarted]);
  }
  #timeOf(split: Split): number {
    return this.#time.partition(this.#hasTopics ? nameOf(split) : split.partition);
  }
  /** What is shown of the partitions, in the order of their names: 2 comes before 10. */
  partitions(now: number): PartitionStatus[] {
    const states = new Map([...this.#states.values()].map((state) => [state.time, state]));
    return this.#time
      .partitions()
      .map((status, index) => ({ ...status, ...shown(states.get(index), now) }))
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
    this.#isNeedKnown = false;
    switch (news.kind) {
      case 'chunks':
        return this.push(news.chunks);
      case 'ends':
        return this.ends(news.splits);
      case 'silent':
        return this.silent(news.splits, now);
      case 'behind':
        return this.#behind(news.splits);
      case 'unanswered':
        return this.#holdsBack(this.#statesOf(news.splits), 'unknown');
      case 'ended':
        return this.ended(news.splits);
    }
  }
  push(chunks: readonly Chunk[]): void {
    // All of them hold time back before a record of one of them is emitted.
    this.#holdsBack(this.#statesOf(chunks.map(({ split }) => split)), 'something');
    for (const chunk of chunks) {
      const state = this.#states.get(chunk.split);
      if (!state) continue;
      this.#endsAt(state, chunk.end);
      state.inHand++;
      this.#inHand.push(chunk);
    }
  }
  /** The present ends of splits that wait for room. */
  ends(splits: readonly SplitPlace[]): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (state) this.#endsAt(state, offset);
    }
    const waiting = this.#statesOf(splits.map(({ split }) => split)).filter((state) => lagOf(state) > 0);
    this.#holdsBack(waiting, 'something');
  }
  #behind(splits: readonly SplitPlace[]): void {
    this.ends(splits);
    this.#holdsBack(this.#statesOf(splits.map(({ split }) => split)), 'something');
  }
  #statesOf(names: readonly string[]): SplitState[] {
    return names.flatMap((name) => this.#states.get(name) ?? []);
  }
  /** These splits are not silent: see SourceTime. */
  #holdsBack(states: readonly SplitState[], isKnown: 'unknown' | 'something'): void {
    const counting = states.filter((state) => !hasEnded(state) && !state.failure);
    const times = counting.flatMap(({ time }) => time ?? []);
    if (times.length > 0) this.#time.holdsBack(times, isKnown);
  }
  /** The end does not go back: an answer that is handed over in pieces has an older one. */
  #endsAt(state: SplitState, offset: number): void {
    state.knownEnd = Math.max(state.knownEnd, offset);
  }
  /** The next chunk of a split that may be read, see `mayRead`. */
  take(holdsTime: boolean): OpenChunk | undefined {
    const taken = this.#inHand.take((split) => this.mayRead(this.#states.get(split)!, holdsTime));
    if (!taken || 'state' in taken) return taken;
    const open = openChunk(taken, this.#states.get(taken.split)!);
    this.#formats.look(open);
    return open;
  }
  /**
   * Nothing that is in hand may be read: the splits whose records are needed to go on. undefined:
   * none, or nothing has changed since the last call.
   */
  needed(holdsTime: boolean): string[] | undefined {
    if (this.#isNeedKnown || this.#inHand.isEmpty) return undefined;
    this.#isNeedKnown = true;
    const needed = [...this.#states.values()].filter(
      (state) =>
        state.inHand === 0 &&
        !hasEnded(state) &&
        !state.failure &&
        (state.knownEnd === -Infinity || lagOf(state) > 0) &&
        this.mayRead(state, holdsTime),
    );
    return needed.length === 0 ? undefined : needed.map(({ name }) => name);
  }
  setAside(open: OpenChunk): void {
    this.#inHand.setAside(open);
  }
  /** Its share is left, it waits for no schema, and it is not ahead of other sources. */
  mayRead(state: SplitState, holdsTime: boolean): boolean {
    if ((holdsTime && state.share <= 0) || this.#formats.isHeld(state.name)) return false;
    return state.time === undefined || !this.#time.isAhead(state.time);
  }
  /** The records of the chunk before `next` are emitted or rejected. */
  readTo(open: OpenChunk, next: number): void {
    const { chunk, state, at } = open;
    countRead(open);
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
    state.inHand--;
    this.#isNeedKnown = false;
    if (chunk.isLast) state.end = chunk.next;
    if (chunk.lost) this.lost.add(state.name, chunk.lost);
    this.#doneIfEnded(state);
  }
  /** The reader has found the end of splits whose `endTime` has passed. */
  ended(splits: readonly SplitPlace[]): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (!state) continue;
      state.end = offset;
      this.#doneIfEnded(state);
    }
  }
  /** These splits answered and had nothing. It is silence only if all that was read is emitted. */
  silent(splits: readonly SplitPlace[], now: number): void {
    for (const { split, offset } of splits) {
      const state = this.#states.get(split);
      if (state) this.#endsAt(state, offset);
      if (state?.time !== undefined && state.next === offset) this.#time.silent(state.time, now);
    }
  }
  clear(): void {
    this.#inHand.keep(() => false);
  }

  // --------------------------------------------------------------------------------- ends and lags

  hasReachedEnd(): boolean {
    if (!this.#isResolved) return false;
    for (const state of this.#states.values()) if (!hasEnded(state) && !hasStopped(state)) return false;
    return true;
  }
  /** Not for the last split, whose end is the end of the source. */
  #doneIfEnded(state: SplitState): void {
    const isDone = hasEnded(state) || hasStopped(state);
    if (state.time !== undefined && isDone && !this.hasReachedEnd()) this.#time.done(state.time);
  }
  lag(): number {
    let sum = 0;
    for (const state of this.#states.values()) if (!hasStopped(state)) sum += lagOf(state);
    return sum;
  }
  awaits(holdsTime: boolean): boolean {
    for (const state of this.#states.values())
      if (lagOf(state) > 0 && !hasStopped(state) && this.mayRead(state, holdsTime)) return true;
    return false;
  }
  /** As Spark does: each split by its lag, at least one record of each that has any. */
  share(records: number): void {
    this.#isNeedKnown = false;
    const total = this.lag();
    const part = (state: SplitState): number => (total > 0 ? lagOf(state) / total : 1 / this.#states.size);
    for (const state of this.#states.values())
      state.share = records === Infinity ? Infinity : Math.max(1, Math.floor(records * part(state)));
  }
}

function hasEnded({ next, end }: SplitState): boolean {
  return end !== undefined && next >= end;
}
function hasStopped({ failure, inHand }: SplitState): boolean {
  return failure !== undefined && inHand === 0;
}
function lagOf({ next, knownEnd, end }: SplitState): number {
  return Math.max(0, Math.min(knownEnd, end ?? Infinity) - next);
}
/** Nothing if the end is not known. */
function shown(state: SplitState | undefined, now: number): Partial<PartitionStatus> {
  if (!state) return {};
  const { split, read, next, failure, knownEnd } = state;
  const end = state.end ?? (knownEnd === -Infinity ? undefined : knownEnd);
  return {
    ...{ topic: split.topic, number: split.partition, read, position: next },
    ...(end !== undefined && { end }),
    ...shownLag(state, now),
    ...(failure && { failed: failure.message }),
  };
}
function shownLag(state: SplitState, now: number): Pick<PartitionStatus, 'lag' | 'lagMillis' | 'aheadMillis'> {
  if (state.knownEnd === -Infinity && !hasEnded(state)) return {};
  const lag = lagOf(state);
  const { lastRead } = state;
  // Kafka writes −1 for a record without a timestamp.
  if (lag === 0 || lastRead === undefined || lastRead < 0) return { lag };
  return lastRead > now ? { lag, lagMillis: 0, aheadMillis: lastRead - now } : { lag, lagMillis: now - lastRead };
}
