// How much a reader may hold: the bytes that it has handed over and that are not emitted yet, and
// the rests of answers that wait for their turn. The limit for all partitions together holds for
// any number of them.
//
// A partition that is ahead of other sources, or has used up its share of a micro-batch, keeps its
// bytes. If such partitions use up the limit, the source waits for records that the reader may not
// fetch. So the source names the partitions that it needs: each of them may exceed the limit with
// one chunk.
import type { AssignedSplit } from './placement.ts';

/** The limit for all partitions, and the most and the least for one. */
const forAll = 32 << 20;
const forOne = { least: 256 << 10, most: 4 << 20 };

export class ReaderCredit {
  readonly #partitions: () => number;
  /** Bytes handed over and not emitted. */
  #pending = 0;
  /** Bytes of the rests of answers. */
  #ofRests = 0;
  readonly #rests = new Map<AssignedSplit, number>();
  /** The names of the splits that may exceed the limit. */
  #needed: ReadonlySet<string> = new Set();

  constructor(partitions: () => number) {
    this.#partitions = partitions;
  }

  /** The most bytes of one partition. Its last chunk may exceed it by one batch. */
  get each(): number {
    const share = Math.floor(forAll / Math.max(1, this.#partitions()));
    return Math.max(forOne.least, Math.min(forOne.most, share));
  }
  /** The source may get another chunk of the split. */
  mayHandOver(split: AssignedSplit): boolean {
    return this.#pending < forAll ? split.pending < this.each : this.#isNeeded(split);
  }
  /** Its broker may be asked for more records. */
  mayAsk(split: AssignedSplit): boolean {
    return this.#pending + this.#ofRests < forAll ? this.mayHandOver(split) : this.#isNeeded(split);
  }
  #isNeeded({ name, pending }: AssignedSplit): boolean {
    return pending === 0 && this.#needed.has(name);
  }
  /** The bytes that are held for all partitions. */
  get held(): number {
    return this.#pending + this.#ofRests;
  }

  handedOver(split: AssignedSplit, bytes: number): void {
    split.pending += bytes;
    this.#pending += bytes;
    this.keeps(split);
  }
  /** It may have a rest now, or another one, or none. */
  keeps(split: AssignedSplit): void {
    const bytes = split.rest?.batches.size ?? 0;
    this.#ofRests += bytes - (this.#rests.get(split) ?? 0);
    if (split.rest) this.#rests.set(split, bytes);
    else this.#rests.delete(split);
  }
  /** The source has emitted a chunk of it. */
  returned(split: AssignedSplit, bytes: number): void {
    const given = Math.min(bytes, split.pending);
    split.pending -= given;
    this.#pending -= given;
  }
  /** It is read no more, and the source drops what it has of it. */
  dropped(split: AssignedSplit): void {
    this.returned(split, split.pending);
    split.rest = undefined;
    this.keeps(split);
  }
  /** The source can emit nothing of what it has, and needs records of these splits. */
  blocked(needed: readonly string[]): void {
    this.#needed = new Set(needed);
  }
}
