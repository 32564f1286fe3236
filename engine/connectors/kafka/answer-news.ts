// What the answers of one fetch say of the partitions that were asked, as messages to the source.
// Partitions that hold time back come before records: no record may be emitted before the source
// knows of all of them.
import { buffersOf } from './record-columns.ts';
import type { FetchedPartition } from './fetch-request.ts';
import { isSilent } from './fetched-chunk.ts';
import type { AssignedSplit } from './placement.ts';
import type { Chunk, SplitPlace, ToSource } from './reader-messages.ts';

/** A split as it was when the request was made. */
export interface Asked {
  readonly split: AssignedSplit;
  readonly offset: number;
}

export class AnswerNews {
  /** By topic or its id, and partition. */
  readonly #asked = new Map<string, Asked>();
  readonly #unanswered: Set<string>;
  readonly #behind: SplitPlace[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #silent: SplitPlace[] = [];
  readonly #ended: SplitPlace[] = [];

  constructor(asked: readonly Asked[]) {
    this.#unanswered = new Set(asked.map(({ split }) => split.name));
    for (const one of asked) {
      const { topic, topicId, partition } = one.split.split;
      this.#asked.set(`${topic} ${partition}`, one);
      if (topicId !== undefined) this.#asked.set(`${topicId} ${partition}`, one);
    }
  }
  /** The question for this answer. */
  asked({ topic, partition }: FetchedPartition): Asked | undefined {
    return this.#asked.get(`${topic} ${partition}`);
  }

  /**
   * The answer has no error. Without a chunk there are no records in it, or it is not their turn.
   */
  answered({ split, offset }: Asked, answer: FetchedPartition, chunk: Chunk | undefined, now: number): void {
    this.#unanswered.delete(split.name);
    if (chunk) this.#chunk(chunk, split);
    else if (answer.start !== answer.end || offset < answer.lastStable)
      this.#behind.push({ split: split.name, offset: answer.lastStable });
    else this.#atEnd(split, offset, answer, now);
  }
  #chunk(chunk: Chunk, split: AssignedSplit): void {
    split.next = chunk.next;
    split.epoch = chunk.epoch;
    if (chunk.isLast) split.end = chunk.next;
    this.#chunks.push(chunk);
  }
  /** It is read to the end of its committed records. */
  #atEnd(split: AssignedSplit, offset: number, answer: FetchedPartition, now: number): void {
    const { name, endTime } = split;
    if (isSilent(answer, offset)) this.#silent.push({ split: name, offset });
    else this.#behind.push({ split: name, offset });
    if (endTime === undefined || now < endTime) return;
    split.end = offset;
    this.#ended.push({ split: name, offset });
  }

  messages(): ToSource[] {
    const unanswered = [...this.#unanswered];
    return [
      ...(unanswered.length > 0 ? [{ kind: 'unanswered', splits: unanswered } as const] : []),
      ...(this.#behind.length > 0 ? [{ kind: 'behind', splits: this.#behind } as const] : []),
      ...(this.#chunks.length > 0 ? [{ kind: 'chunks', chunks: this.#chunks } as const] : []),
      ...(this.#silent.length > 0 ? [{ kind: 'silent', splits: this.#silent } as const] : []),
      ...(this.#ended.length > 0 ? [{ kind: 'ended', splits: this.#ended } as const] : []),
    ];
  }
}

/** The buffers of chunks, which go to the source and are not copied. */
export function transferOf(chunks: readonly Chunk[]): ArrayBuffer[] {
  return chunks.flatMap(({ columns }) => buffersOf(columns));
}
