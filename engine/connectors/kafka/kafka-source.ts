// A topic as a source: a reader thread fetches, this thread decodes what has arrived and emits it. It joins no group, commits no offset and creates nothing.
//
// The position of a partition is the offset after the last record that was emitted. Partitions are those that the topic has when the source first starts.
import type { Worker } from 'node:worker_threads';
import { SluiceError } from '../../error.ts';
import type { FunctionTable, PlanNode, WatermarkSpec } from '../../graph/plan.ts';
import type { StateReader, StateWriter } from '../../operators/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../../operators/source.ts';
import { SourceTime, type SourceTimeState } from '../../time/source-time.ts';
import { connectionNamed, type Connection } from './connections.ts';
import type { Chunk, Offsets, StartFrom, StopAt, ToReader, ToSource } from './reader-messages.ts';
import { startReaderThread } from './reader-thread.ts';
import { ChunkText, RecordDecoder, type DecoderSpec } from './record-decoder.ts';

interface Parameters extends DecoderSpec {
  readonly topic: string;
  readonly connection?: string;
  readonly from: StartFrom;
  readonly until?: StopAt;
  readonly watermark?: WatermarkSpec;
  /** Records per second at most. */
  readonly rate?: number;
}
interface Saved {
  /** undefined: the source had not found its start yet. */
  readonly next?: Offsets;
  readonly ends?: Offsets;
  readonly time: SourceTimeState;
  readonly emitted: number;
  readonly errors: number;
  readonly opened: number;
}

export function createKafkaSource(node: PlanNode, functions: FunctionTable): Source {
  return new KafkaSource(node, functions);
}

class KafkaSource implements Source {
  readonly #node: PlanNode;
  readonly #parameters: Parameters;
  readonly #decoder: RecordDecoder;
  #context!: SourceContext;
  #connection!: Connection;
  #time!: SourceTime;
  #reader: Worker | undefined;
  /** Partition → offset of the next record to emit; undefined until the reader has found the start. */
  #next: Map<number, number> | undefined;
  #ends: Offsets | undefined;
  #chunks: Chunk[] = [];
  // The chunk that is being emitted, and how far.
  #chunk: Chunk | undefined;
  #text!: ChunkText;
  #at = 0;
  #bytesAt = 0;
  #emitted = 0;
  #errors = 0;
  #opened = 0;
  /** What is wrong with the last record that is no element. */
  #lastProblem: string | undefined;
  #trouble: string | undefined;
  #isFinished = false;
  #allowance: RateAllowance | undefined;

  constructor(node: PlanNode, functions: FunctionTable) {
    this.#node = node;
    this.#parameters = node.parameters as unknown as Parameters;
    this.#decoder = new RecordDecoder(this.#parameters, functions, node.name);
  }

  open(context: SourceContext): void {
    this.#context = context;
    this.#time = new SourceTime(context.output, context.clock.now(), this.#parameters.watermark);
    this.#opened++;
    // May throw; a source that failed is still asked for its snapshot.
    this.#connection = connectionNamed(this.#parameters.connection);
    const { rate } = this.#parameters;
    if (rate !== undefined) this.#allowance = new RateAllowance(rate);
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#emitted = saved.emitted;
    this.#errors = saved.errors;
    this.#opened += saved.opened;
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
      opened: this.#opened,
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
    this.#time.onClock(now);
    if (this.#time.nextAt < Infinity) this.#context.wakeAt(this.#time.nextAt);
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
      opened: this.#opened,
      phase: this.#isFinished ? 'finished' : !isStarted ? 'connecting' : this.#emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      errors: this.#errors,
      ...(waiting !== undefined && { waiting }),
    };
  }

  /** Why nothing comes, when there is a reason. */
  #waiting(): string | undefined {
    if (this.#trouble !== undefined) return `${this.#trouble.replace(/\.?$/, ';')} trying again`;
    if (!this.#next || this.#emitted > 0) return undefined;
    if (this.#lastProblem !== undefined) return `no record is usable: ${this.#lastProblem}`;
    return `no record has come from ${this.#parameters.topic} yet`;
  }

  close(): void {
    this.#stopReader();
    this.#chunks = [];
    this.#chunk = undefined;
  }

  // ---------------------------------------------------------------------------------------------- records

  /** Emits the chunk in hand. False: no room for more, or the rate is used up. */
  #emitChunk(now: number): boolean {
    const chunk = this.#chunk!;
    const { partition, columns } = chunk;
    const { count, lengths, offsets, timestamps } = columns;
    const { output } = this.#context;
    const time = this.#time;
    const timeOfPartition = time.partition(partition);
    const decoder = this.#decoder;
    const text = this.#text;
    const allowance = this.#allowance;
    let next = this.#next!.get(partition)!;
    try {
      while (this.#at < count) {
        if (allowance && !allowance.take(now)) return false;
        const i = this.#at++;
        const length = lengths[i]!;
        const start = this.#bytesAt;
        if (length > 0) this.#bytesAt += length;
        const offset = offsets[i]!;
        next = offset + 1;
        const value = length < 0 ? undefined : text.slice(start, this.#bytesAt);
        if (decoder.decode(value, timestamps[i]!)) {
          this.#emitted++;
          time.record(timeOfPartition, decoder.timestamp);
          output.emitAt(decoder.value, decoder.timestamp, partition, offset);
        } else this.#emitError(partition, offset, value ?? '', timestamps[i]!);
        if (output.full) return this.#at === count && this.#finishChunk(chunk);
      }
      return this.#finishChunk(chunk);
    } finally {
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
    this.#lastProblem = `${topic}[${partition}]@${offset}${this.#decoder.problem}.`;
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

  #takeChunk(): boolean {
    const chunk = this.#chunks.shift();
    if (!chunk) return false;
    this.#chunk = chunk;
    this.#text = new ChunkText(chunk);
    this.#at = 0;
    this.#bytesAt = 0;
    return true;
  }

  #isAtEnd(partition: number): boolean {
    const end = this.#ends?.[partition];
    return end !== undefined && this.#next!.get(partition)! >= end;
  }
  #hasReachedEnd(): boolean {
    if (!this.#ends || !this.#next) return false;
    for (const partition of this.#next.keys()) if (!this.#isAtEnd(partition)) return false;
    return true;
  }

  // ---------------------------------------------------------------------------------------------- the reader

  #startReader(): void {
    const { topic, from, until } = this.#parameters;
    const { brokers, variable } = this.#connection;
    const reader = startReaderThread({
      brokers,
      variable,
      topic,
      from,
      ...(until !== undefined && { until }),
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
    // A partition that is silent from the start holds time back until it is idle.
    for (const partition of this.#next.keys()) if (!this.#isAtEnd(partition)) this.#time.partition(partition);
  }
}

/** `rate` records a second: what was not taken in the last tenth of a second is gone. */
class RateAllowance {
  readonly #perMilli: number;
  readonly #most: number;
  #available = 1;
  #at: number | undefined;

  constructor(perSecond: number) {
    this.#perMilli = perSecond / 1000;
    this.#most = Math.max(1, perSecond / 10);
  }
  take(now: number): boolean {
    this.#available = Math.min(this.#most, this.#available + (now - (this.#at ?? now)) * this.#perMilli);
    this.#at = now;
    if (this.#available < 1) return false;
    this.#available--;
    return true;
  }
  /** When the next record may go. */
  next(now: number): number {
    return now + Math.max(1, Math.ceil((1 - this.#available) / this.#perMilli));
  }
}
