// A look at a topic: rows for a table, as many as a reader can follow, and the bytes of each. It
// joins no group and commits nothing.
//
// Without a filter, the newest records are shown as they come, and those that come too fast are
// skipped and counted. From another place, and with a filter, each record is read, and after a page
// of rows the peek waits for its user. What waits stays in Kafka: only a bounded part is in memory.
import type { PeekNews, PeekRow, PeekState } from '../protocol/browse.ts';
import { cutForDisplay, type CutLimits } from '../protocol/display-cut.ts';
import { toWire } from '../protocol/values.ts';
import { readHeaders, type HeaderValues } from '../../engine/connectors/kafka/record-headers.ts';
import type { ChunkRecord, ChunkRecords } from './chunk-records.ts';
import type { Filter, FilteredRecord } from './filter.ts';
import { KeptRecords } from './kept-records.ts';
import type { PeekReader } from './peek-reader.ts';
import type { PeekedValue, PeekedValues } from './peeked-values.ts';

const frameMillis = 200;
/** Rows of a frame of live records without a filter. */
const rowsPerFrame = 200;
/** A table shows a part of a large value, and the client keeps a thousand rows. */
const rowLimits: CutLimits = { depth: 100, text: 4_000, bytes: 16 << 10 };
/** Rows after which a peek that reads each record waits for its user. */
const pageRows = 500;
/** Records that the filter gets at once, and the time for which records are read in one go. */
const batchRecords = 200;
const turnMillis = 20;
/** The rate is that of the last frames. */
const rateFrames = 10;

export interface PeekParts {
  readonly id: string;
  readonly topic: string;
  /** Only the newest records are shown. Absent: each is. */
  readonly isLive: boolean;
  readonly filter: Filter | undefined;
  readonly values: PeekedValues;
  readonly reader: PeekReader;
  readonly send: (news: PeekNews) => void;
}

interface ReadRecord {
  readonly record: ChunkRecord;
  readonly value: PeekedValue;
  readonly key: PeekedValue | undefined;
}

export class Peek {
  readonly #parts: PeekParts;
  readonly #kept = new KeptRecords();
  readonly #timer: NodeJS.Timeout;
  #turn: NodeJS.Immediate | undefined;
  #state: PeekState = 'reading';
  #rows: PeekRow[] = [];
  /** Records that match and have no room on the page. */
  #beyond: ReadRecord[] = [];
  /** Chunks whose next record waits for its schema. */
  readonly #held = new Set<ChunkRecords>();
  #onPage = 0;
  #sent = 0;
  #read = 0;
  #matched = 0;
  #skipped = 0;
  #recent: number[] = [];
  #filterTrouble: string | undefined;
  #failure: string | undefined;
  #last = '';

  constructor(parts: PeekParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#frame(), frameMillis);
  }

  /** The reader has something new, or a schema has come. */
  changed(): void {
    this.#held.clear();
    this.#schedule();
  }
  run(run: boolean): void {
    if (this.#state === 'failed') return;
    this.#state = run ? 'reading' : 'paused';
    if (run) {
      this.#onPage = 0;
      this.#show(this.#beyond.splice(0));
      this.#schedule();
    }
    this.#frame();
  }
  record(n: number): ReturnType<KeptRecords['view']> {
    return this.#kept.view(n);
  }
  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#turn);
    this.#parts.reader.close();
    this.#parts.values.close();
  }

  // --------------------------------------------------------------------------------------- reading

  #schedule(): void {
    if (this.#parts.isLive && !this.#parts.filter) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#guarded(() => {
        if (this.#readSome()) this.#schedule();
      });
    });
  }

  /** Returns whether more is there to be read at once. */
  #readSome(): boolean {
    const until = performance.now() + turnMillis;
    while (this.#state === 'reading' && performance.now() < until) {
      const chunk = this.#parts.reader.waiting.find((one) => !this.#held.has(one));
      if (!chunk) return false;
      this.#readChunk(chunk, batchRecords);
    }
    return this.#state === 'reading';
  }

  #readChunk(chunk: ChunkRecords, most: number): void {
    const batch: ReadRecord[] = [];
    this.#parts.values.look(chunk);
    while (batch.length < most && chunk.left > 0) {
      const record = chunk.next();
      const value = this.#parts.values.value(record);
      const key = value === 'schema' ? value : this.#parts.values.key(record);
      if (value === 'schema' || key === 'schema') {
        chunk.putBack(record);
        this.#held.add(chunk);
        break;
      }
      batch.push({ record, value, key });
    }
    this.#read += batch.length;
    if (batch.length > 0) this.#show(this.#matching(batch));
    if (chunk.left === 0) this.#parts.reader.done(chunk);
  }

  #matching(batch: readonly ReadRecord[]): readonly ReadRecord[] {
    const { filter, topic } = this.#parts;
    if (!filter) return batch;
    const { matches, failed } = filter(batch.map((one) => filtered(topic, one)));
    if (failed) this.#noteFailure(batch[failed.at]!.record, failed.reason);
    const found = batch.filter((_, i) => matches[i]);
    this.#matched += found.length;
    return found;
  }
  #noteFailure({ partition, offset }: ChunkRecord, reason: string): void {
    this.#filterTrouble ??= `The filter fails, first at ${this.#parts.topic}[${partition}]@${offset}: ${reason.replace(/\.$/, '')}. Such records do not match.`;
  }

  #show(found: readonly ReadRecord[]): void {
    const room = this.#parts.isLive ? Infinity : pageRows - this.#onPage;
    const shown = found.length > room ? found.slice(0, room) : found;
    this.#beyond.push(...found.slice(shown.length));
    for (const one of shown) this.#rows.push(this.#rowOf(one));
    this.#onPage += shown.length;
    if (!this.#parts.isLive && this.#onPage >= pageRows) this.#state = 'full';
    else if (this.#rows.length > 2 * rowsPerFrame) this.#thin();
  }
  /** More match than a reader can follow. The newest are shown. */
  #thin(): void {
    const extra = this.#parts.isLive ? this.#rows.length - rowsPerFrame : 0;
    this.#rows.splice(0, extra);
    this.#skipped += extra;
  }
  #rowOf({ record, value, key }: ReadRecord): PeekRow {
    const n = this.#sent++;
    this.#kept.keep(n, record, headersOf(record));
    const problem = value.problem ?? (key?.problem === undefined ? undefined : `its key: ${key.problem}`);
    return {
      ...{ n, t: record.timestamp, partition: record.partition, offset: record.offset },
      ...(key && { key: shownWire(key.value) }),
      value: shownWire(value.value),
      ...(problem !== undefined && { problem }),
    };
  }

  /** Shows the newest of what has come since the last frame. */
  #readNewest(): void {
    const { waiting } = this.#parts.reader;
    const ready = waiting.filter((chunk) => !this.#held.has(chunk));
    const total = ready.reduce((sum, { left }) => sum + left, 0);
    const share = Math.min(1, rowsPerFrame / total);
    for (const chunk of ready) {
      const rest = chunk.left - Math.ceil(chunk.left * share);
      chunk.skip(rest);
      this.#read += rest;
      this.#skipped += rest;
      this.#readChunk(chunk, chunk.left);
    }
  }

  /** What fails here ends this peek, and no other one. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }
  #fail(reason: string): void {
    this.#state = 'failed';
    this.#failure = reason;
  }

  // ------------------------------------------------------------------------------------------ news

  #frame(): void {
    const { reader, isLive, filter } = this.#parts;
    if (reader.failure !== undefined && this.#state !== 'failed') this.#fail(reader.failure);
    if (this.#state === 'reading' && isLive && !filter) this.#guarded(() => this.#readNewest());
    if (this.#rows.length > rowsPerFrame) this.#thin();
    this.#recent = [...this.#recent, this.#read].slice(-rateFrames - 1);
    const news = this.#news();
    this.#rows = [];
    const { rows, ...figures } = news;
    const text = JSON.stringify(figures);
    if (rows.length === 0 && text === this.#last) return;
    this.#last = text;
    this.#parts.send(news);
  }
  #news(): PeekNews {
    const { id, isLive, values, reader } = this.#parts;
    const trouble = this.#failure ?? reader.trouble ?? values.trouble;
    const frames = this.#recent.length - 1;
    const rate = frames === 0 ? 0 : ((this.#read - this.#recent[0]!) * 1000) / (frames * frameMillis);
    return {
      peek: id,
      state: this.#state,
      // Live rows of several partitions are in the order of their times.
      rows: isLive ? this.#rows.toSorted((a, b) => a.t - b.t) : this.#rows,
      ...{ read: this.#read, matched: this.#matched, skipped: this.#skipped, rate },
      isAtEnd: reader.isAtEnd && this.#beyond.length === 0,
      ...(values.about !== undefined && { format: values.about }),
      ...(trouble !== undefined && { trouble }),
      ...(this.#filterTrouble !== undefined && { filterTrouble: this.#filterTrouble }),
    };
  }
}

function filtered(topic: string, { record, value, key }: ReadRecord): FilteredRecord {
  const { partition, offset, timestamp } = record;
  const meta = { topic, partition, offset, timestamp, headers: headersOf(record) };
  return { record: value.value, key: key?.value, meta };
}
function headersOf({ headers }: ChunkRecord): HeaderValues {
  return headers === undefined ? {} : readHeaders(headers, 0, headers.length);
}
function shownWire(value: unknown): unknown {
  return toWire(cutForDisplay(value, rowLimits).value);
}
