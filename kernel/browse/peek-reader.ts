// Reads a topic for a peek: a topic reader in this thread, and the chunks that wait to be shown. A
// chunk that waits uses the reader's credit, so a peek that is paused stops to fetch.
import type { Connection } from '../../engine/connections/connection.ts';
import type { Chunk, ReadRequest, ToReader, ToSource } from '../../engine/connectors/kafka/reader-messages.ts';
import { nameOf, type SplitPosition } from '../../engine/connectors/kafka/split.ts';
import { TopicReader } from '../../engine/connectors/kafka/topic-reader.ts';
import { describeTroubles, type Trouble } from '../../engine/connectors/kafka/troubles.ts';
import { ChunkRecords } from './chunk-records.ts';

export interface PeekReaderOptions {
  readonly connection: Connection;
  readonly topic: string;
  readonly from: ReadRequest['from'];
  /** Where a found partition is read from; undefined: it is not read. */
  readonly start: (found: SplitPosition) => number | undefined;
  /** Something has come, or something is wrong. */
  readonly onChange: () => void;
}

const discoveryMillis = 30_000;

export class PeekReader {
  readonly #options: PeekReaderOptions;
  readonly #reader: TopicReader;
  #listener: (message: ToReader) => void = () => undefined;
  readonly #partitions = new Map<string, number>();
  readonly #atEnd = new Set<string>();
  /** Errors that have ended the reading of partitions, each with their names. */
  readonly #broken = new Map<string, readonly string[]>();
  #troubles: readonly Trouble[] = [];
  #hasFound = false;
  readonly waiting: ChunkRecords[] = [];
  /** Why reading has ended for good. */
  failure: string | undefined;

  constructor(options: PeekReaderOptions) {
    this.#options = options;
    const { connection, topic, from } = options;
    this.#reader = new TopicReader(
      {
        connection,
        topic,
        from,
        discoveryMillis,
        keys: true,
        headers: true,
        known: [],
        unresolved: [],
        hasLooked: false,
      },
      {
        postMessage: (message) => this.#receive(message),
        on: (_event, listener) => void (this.#listener = listener),
      },
    );
    void this.#reader.run();
  }
  close(): void {
    this.#reader.close();
  }

  /** All that was there has been taken. */
  get isAtEnd(): boolean {
    return this.#hasFound && this.waiting.length === 0 && this.#atEnd.size === this.#partitions.size;
  }
  get trouble(): string | undefined {
    return [...this.#broken.keys()][0] ?? describeTroubles(this.#troubles, Date.now());
  }

  /** A chunk is read to its end: its bytes may be fetched again. */
  done({ chunk }: ChunkRecords): void {
    this.waiting.splice(
      this.waiting.findIndex((one) => one.chunk === chunk),
      1,
    );
    this.#toReader({ kind: 'credit', split: chunk.split, bytes: chunk.bytes });
  }

  /** Later, as between threads: the reader does not expect an answer while it sends. */
  #toReader(message: ToReader): void {
    queueMicrotask(() => this.#listener(message));
  }
  #receive(message: ToSource): void {
    switch (message.kind) {
      case 'found':
        this.#assign(message.splits);
        break;
      case 'chunks':
        for (const chunk of message.chunks) this.#take(chunk);
        break;
      case 'silent':
        for (const { split } of message.splits) this.#atEnd.add(split);
        break;
      case 'troubles':
        this.#troubles = message.troubles;
        break;
      case 'failed':
        this.failure = message.message;
        break;
      case 'splits-failed':
        this.#broken.set(message.message, message.splits);
        for (const split of message.splits) this.#atEnd.add(split);
        if ([...this.#broken.values()].flat().length >= this.#partitions.size) this.failure = message.message;
        break;
      case 'gone':
      case 'behind':
      case 'unanswered':
      case 'ends':
      case 'ended':
        break;
    }
    this.#options.onChange();
  }
  #assign(found: readonly SplitPosition[]): void {
    this.#hasFound = true;
    const splits = found.flatMap((split) => {
      const offset = this.#options.start(split);
      if (offset === undefined) return [];
      this.#partitions.set(nameOf(split), split.partition);
      return { ...split, offset, epoch: offset === split.offset ? split.epoch : -1 };
    });
    if (splits.length > 0) this.#toReader({ kind: 'assign', splits });
  }
  #take(chunk: Chunk): void {
    if (chunk.next >= chunk.end) this.#atEnd.add(chunk.split);
    else this.#atEnd.delete(chunk.split);
    this.waiting.push(new ChunkRecords(chunk, this.#partitions.get(chunk.split)!));
  }
}
