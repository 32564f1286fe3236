// A topic as a source. A reader thread fetches; this thread decodes the records and emits them. The
// source joins no group, commits no offset and creates no topic.
//
// The position of a partition is the offset after the last record that was emitted. The source
// reads the partitions that the topic has when the source first starts.
import type { Worker } from 'node:worker_threads';
import { SluiceError } from '../../errors/error.ts';
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type { StateReader, StateWriter } from '../../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../../contract/source.ts';
import { SourceTime, type SourceTimeState } from '../../time/source-time.ts';
import { AlignmentGroups } from '../../time/watermark-alignment.ts';
import { connectionNamed, type Connection } from './connections.ts';
import type { Chunk, Offsets, ToReader, ToSource } from './reader-messages.ts';
import { keyOf, type OpenChunk, openChunk } from './open-chunk.ts';
import { RateAllowance } from './rate-allowance.ts';
import { startReaderThread } from './reader-thread.ts';
import { rawText } from './record-decoder.ts';
import { type FormatsState, RecordFormats } from './record-formats.ts';

interface Saved extends FormatsState {
  /** undefined: the source had not found its start yet. */
  readonly next?: Offsets;
  readonly ends?: Offsets;
  readonly time: SourceTimeState;
  readonly emitted: number;
  readonly errors: number;
  readonly firstProblem?: string;
  readonly opened: number;
}

export function createKafkaSource(
  node: NodeOf<'kafka'>,
  functions: FunctionTable,
  alignment = new AlignmentGroups(),
): Source {
  return new KafkaSource(node, functions, alignment);
}

class KafkaSource implements Source {
  readonly #node: NodeOf<'kafka'>;
  readonly #parameters: NodeOf<'kafka'>['parameters'];
  readonly #alignment: AlignmentGroups;
  readonly #formats: RecordFormats;
  #context!: SourceContext;
  #connection!: Connection;
  #time!: SourceTime;
  #reader: Worker | undefined;
  /** Partition → offset of the next record to emit; undefined: the start is not found yet. */
  #next: Map<number, number> | undefined;
  #ends: Offsets | undefined;
  #chunks: Chunk[] = [];
  #chunk: OpenChunk | undefined;
  /**
   * Chunks that were begun. Their partitions have used up their share of the micro-batch, or are
   * ahead of other sources.
   */
  #setAside: OpenChunk[] = [];
  /** Partition → records that it may still add to the micro-batch; undefined: no limit. */
  #shares: Map<number, number> | undefined;
  /** Partition → its end, as of the last fetch. */
  readonly #knownEnds = new Map<number, number>();
  #emitted = 0;
  #errors = 0;
  #opened = 0;
  /** The problem of the first rejected record, and of the last one. */
  #firstProblem: string | undefined;
  #lastProblem: string | undefined;
  #trouble: string | undefined;
  #isFinished = false;
  #allowance: RateAllowance | undefined;

  constructor(node: NodeOf<'kafka'>, functions: FunctionTable, alignment: AlignmentGroups) {
    this.#node = node;
    this.#alignment = alignment;
    this.#parameters = node.parameters;
    this.#formats = new RecordFormats(this.#parameters, functions, node.name);
  }

  open(context: SourceContext): void {
    this.#context = context;
    const { watermark } = this.#parameters;
    const aligned = this.#alignment.join(watermark?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), watermark, aligned);
    this.#opened++;
    // May throw; a source that failed is still asked for its snapshot.
    this.#connection = connectionNamed(this.#parameters.connection);
    this.#formats.open(() => context.wake());
    const { rate } = this.#parameters;
    if (typeof rate === 'number') this.#allowance = new RateAllowance(rate);
    if (typeof rate === 'object' && context.inBatches !== true)
      throw new SluiceError(
        'not-in-batches',
        `"${this.#node.name}" has rate: { pid }, which steers micro-batches, but the session is continuous. Run configure({ mode: { microBatch: "1s" } }), then this cell again; or give a number of records/s.`,
      );
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#emitted = saved.emitted;
    this.#errors = saved.errors;
    this.#firstProblem = saved.firstProblem;
    this.#opened += saved.opened;
    this.#formats.restore(saved);
    if (!saved.next) return;
    this.#time.restore(saved.time);
    this.#begin(saved.next, saved.ends);
  }

  snapshot(writer: StateWriter): void {
    writer.value({
      ...(this.#next && { next: Object.fromEntries(this.#next) }),
      ...(this.#ends && { ends: this.#ends }),
      time: this.#time.snapshot(),
      emitted: this.#emitted,
      errors: this.#errors,
      ...(this.#firstProblem !== undefined && { firstProblem: this.#firstProblem }),
      opened: this.#opened,
      ...this.#formats.snapshot(),
    } satisfies Saved);
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#isFinished) return 'end';
    // Only now: a restore would have come before.
    if (!this.#reader) this.#startReader();
    const { output, clock } = this.#context;
    const now = clock.now();
    while (this.#chunk || this.#takeChunk()) {
      if (this.#emitChunk(now) && !output.full) continue;
      const isHeldBack = output.full;
      this.#time.onClock(now, isHeldBack);
      if (isHeldBack) return 'more';
      this.#context.wakeAt(Math.min(this.#allowance!.next(now), this.#time.nextAt));
      return 'wait';
    }
    if (this.#hasReachedEnd()) {
      this.#isFinished = true;
      this.#stopReader();
      this.#time.final();
      return 'end';
    }
    this.#time.onClock(now, this.#formats.holds);
    const { wakeAt } = this.#time;
    if (wakeAt < Infinity) this.#context.wakeAt(wakeAt);
    return 'wait';
  }

  position(): string {
    const { topic, from } = this.#parameters;
    if (this.#next) return [topic, ...[...this.#next].map(([partition, next]) => `${partition}:${next}`)].join(' ');
    return `${topic} ${typeof from === 'string' ? from : JSON.stringify(from)}`;
  }

  status(): SourceStatus {
    const isStarted = this.#next !== undefined;
    const waiting = this.#waiting();
    return {
      entries: 0,
      ...this.#formats.status(),
      opened: this.#opened,
      phase: this.#isFinished ? 'finished' : !isStarted ? 'connecting' : this.#emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      emitted: this.#emitted,
      errors: this.#errors,
      ...(this.#firstProblem !== undefined && { firstRejection: this.#firstProblem }),
      ...(waiting !== undefined && { waiting }),
    };
  }

  /** The reason why no records arrive, if there is one. */
  #waiting(): string | undefined {
    if (this.#trouble !== undefined) return `${this.#trouble.replace(/\.?$/, ';')} trying again`;
    const waiting = this.#formats.waiting ?? this.#time?.waiting;
    if (waiting !== undefined) return waiting;
    if (!this.#next || this.#emitted > 0) return undefined;
    if (this.#lastProblem !== undefined) return `no record is usable: ${this.#lastProblem}`;
    return `no record has come from ${this.#parameters.topic} yet`;
  }

  close(): void {
    this.#time?.close();
    this.#formats.close();
    this.#stopReader();
    this.#chunks = [];
    this.#setAside = [];
    this.#chunk = undefined;
  }

  // --------------------------------------------------------------------------------------- records

  /** Emits the chunk in hand. False: no room for more, or the rate is used up. */
  #emitChunk(now: number): boolean {
    const open = this.#chunk!;
    const { chunk, text } = open;
    const { partition, columns } = chunk;
    const { count, lengths, offsets, timestamps, keys } = columns;
    const { output } = this.#context;
    const time = this.#time;
    const timeOfPartition = time.partition(partition);
    const { decoder } = this.#formats;
    const allowance = this.#allowance;
    const shares = output.holdsTime ? this.#shares : undefined;
    let share = shares?.get(partition) ?? Infinity;
    let next = this.#next!.get(partition)!;
    try {
      while (open.at < count) {
        if (share <= 0 || this.#formats.isHeld(partition) || time.isAhead(timeOfPartition)) {
          this.#chunk = undefined;
          this.#setAside.push(open);
          this.#next!.set(partition, next);
          return true;
        }
        if (allowance && !allowance.take(now)) return false;
        share--;
        const i = open.at++;
        const length = lengths[i]!;
        const start = open.bytesAt;
        if (length > 0) open.bytesAt += length;
        const offset = offsets[i]!;
        const keyStart = open.keysAt;
        const isElement = decoder.decode(text, start, length, timestamps[i]!, keys && keyOf(open, i));
        if (decoder.waits) {
          this.#formats.hold(open, start, keyStart);
          share++;
          continue;
        }
        // Only now: user code that throws leaves the position at the record.
        next = offset + 1;
        if (isElement) {
          // A tombstone may delete nothing.
          if (!keys || decoder.value !== undefined) {
            this.#emitted++;
            time.record(timeOfPartition, decoder.timestamp);
            output.emitAt(decoder.value, decoder.timestamp, partition, offset);
          }
        } else this.#emitError(partition, offset, rawText(text, start, length), timestamps[i]!);
        if (output.full) return open.at === count && this.#finishChunk(chunk);
      }
      return this.#finishChunk(chunk);
    } finally {
      shares?.set(partition, share);
      if (this.#chunk) this.#next!.set(partition, next);
    }
  }
  #finishChunk({ partition, next, bytes }: Chunk): true {
    this.#next!.set(partition, next);
    this.#chunk = undefined;
    this.#tellReader({ kind: 'credit', partition, bytes });
    if (this.#isAtEnd(partition) && !this.#hasReachedEnd()) this.#time.done(this.#time.partition(partition));
    return true;
  }

  #emitError(partition: number, offset: number, raw: string, timestamp: number): void {
    const { topic } = this.#parameters;
    const { output, clock } = this.#context;
    this.#errors++;
    this.#lastProblem = `${topic}[${partition}]@${offset}${this.#formats.decoder.problem}.`;
    this.#firstProblem ??= this.#lastProblem;
    if (!output.hasReader('errors')) return;
    const seen = this.#emitted + this.#errors;
    const share = `${this.#errors.toLocaleString('en-US')} of ${seen.toLocaleString('en-US')} so far`;
    const error = `${this.#lastProblem} It went to ${this.#node.name}.errors; ${share}.`;
    output.emitTo(
      'errors',
      { topic, partition, offset: String(offset), raw, error },
      timestamp >= 0 ? timestamp : clock.now(),
    );
  }

  /**
   * The next chunk whose partition has a share of the micro-batch left, and is not ahead of other
   * sources.
   */
  #takeChunk(): boolean {
    const aside = this.#setAside.findIndex(({ chunk }) => this.#mayRead(chunk.partition));
    if (aside >= 0) {
      this.#chunk = this.#setAside.splice(aside, 1)[0];
      return true;
    }
    const index = this.#chunks.findIndex(({ partition }) => this.#mayRead(partition));
    const chunk = index > 0 ? this.#chunks.splice(index, 1)[0] : index === 0 ? this.#chunks.shift() : undefined;
    if (!chunk) return false;
    this.#formats.look((this.#chunk = openChunk(chunk)));
    return true;
  }
  #mayRead(partition: number): boolean {
    if (this.#context.output.holdsTime && (this.#shares?.get(partition) ?? Infinity) <= 0) return false;
    return !this.#formats.isHeld(partition) && !this.#time.isAhead(this.#time.partition(partition));
  }

  // --------------------------------------------------------------------------------- micro-batches

  /** As Spark does: each partition by its lag, at least one record of each that has any. */
  share(records: number): void {
    if (records === Infinity || !this.#next) {
      this.#shares = undefined;
      return;
    }
    const partitions = [...this.#next.keys()];
    const lags = partitions.map((partition) => this.#lag(partition));
    const total = lags.reduce((sum, lag) => sum + lag, 0);
    const part = (lag: number): number => (total > 0 ? lag / total : 1 / partitions.length);
    this.#shares = new Map(
      partitions.map((partition, i) => [partition, Math.max(1, Math.floor(records * part(lags[i]!)))]),
    );
  }
  behind(): number {
    return [...(this.#next?.keys() ?? [])].reduce((sum, partition) => sum + this.#lag(partition), 0);
  }
  awaits(): boolean {
    return [...(this.#next?.keys() ?? [])].some((partition) => this.#mayRead(partition) && this.#lag(partition) > 0);
  }
  endBatch(now: number): void {
    this.#time.endBatch(now);
  }
  #lag(partition: number): number {
    const end = Math.min(this.#knownEnds.get(partition) ?? -Infinity, this.#ends?.[partition] ?? Infinity);
    return Math.max(0, end - this.#next!.get(partition)!);
  }

  // --------------------------------------------------------------------------------------- offsets

  #isAtEnd(partition: number): boolean {
    const end = this.#ends?.[partition];
    return end !== undefined && this.#next!.get(partition)! >= end;
  }
  #hasReachedEnd(): boolean {
    if (!this.#ends || !this.#next) return false;
    for (const partition of this.#next.keys()) if (!this.#isAtEnd(partition)) return false;
    return true;
  }

  // ------------------------------------------------------------------------------------ the reader

  #startReader(): void {
    const { topic, from, until } = this.#parameters;
    const { brokers, variable } = this.#connection;
    const reader = startReaderThread({
      brokers,
      variable,
      topic,
      from,
      ...(until !== undefined && { until }),
      ...(this.#parameters.tableKey !== undefined && { keys: true }),
      ...(this.#next && {
        resume: { next: Object.fromEntries(this.#next), ...(this.#ends && { ends: this.#ends }) },
      }),
    });
    this.#reader = reader;
    reader.on('message', (message: ToSource) => this.#receive(message));
    reader.on('error', (error) => this.#readerFailed(reader, String(error)));
    reader.on('exit', (code) => this.#readerFailed(reader, `exit code ${code}`));
  }
  #stopReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    void reader?.terminate();
  }
  #tellReader(message: ToReader): void {
    this.#reader?.postMessage(message);
  }

  #receive(message: ToSource): void {
    if (!this.#reader) return;
    switch (message.kind) {
      case 'started':
        if (!this.#next) this.#begin(message.next, message.ends);
        break;
      case 'chunks':
        this.#chunks.push(...message.chunks);
        for (const { partition, end } of message.chunks) this.#knownEnds.set(partition, end);
        break;
      case 'trouble':
        this.#trouble = message.text;
        return;
      case 'failed':
        this.#stopReader();
        this.#context.fail(new SluiceError(message.code, message.message, message.details));
        return;
    }
    this.#context.wake();
  }
  #readerFailed(reader: Worker, what: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#context.fail(
      new SluiceError('kafka-failure', `The thread that reads topic "${this.#parameters.topic}" ended: ${what}.`),
    );
  }

  #begin(next: Offsets, ends: Offsets | undefined): void {
    this.#next = new Map(Object.entries(next).map(([partition, offset]) => [Number(partition), offset]));
    this.#ends = ends;
    // A partition that is silent from the start holds the watermark back until it is idle.
    for (const partition of this.#next.keys()) if (!this.#isAtEnd(partition)) this.#time.partition(partition);
  }
}
