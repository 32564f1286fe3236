// A topic as a source. Reading, decoding and event time are separate steps: a reader thread fetches
// chunks, this thread decodes their records, and admission.ts lets them in. The source joins no
// group, commits no offset and creates no topic.
//
// The reader finds the splits (the partitions of the topic). The source assigns each to it, with
// the position after the last record that was emitted. Splits can be assigned and revoked at any
// time.
import type { Worker } from 'node:worker_threads';
import { SluiceError } from '../../errors/error.ts';
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type { StateReader, StateWriter } from '../../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../../contract/source.ts';
import { SourceTime, type SourceTimeState } from '../../time/source-time.ts';
import { AlignmentGroups } from '../../time/watermark-alignment.ts';
import { Admission, type AdmissionState } from './admission.ts';
import { connectionNamed, type Connection } from './connections.ts';
import { keyOf, type OpenChunk } from './open-chunk.ts';
import { RateAllowance } from './rate-allowance.ts';
import type { ReadRequest, ToReader, ToSource } from './reader-messages.ts';
import { startReaderThread } from './reader-thread.ts';
import { rawText } from './record-decoder.ts';
import { type FormatsState, RecordFormats } from './record-formats.ts';
import { SourceSplits } from './source-splits.ts';
import { nameOf, type SplitPosition } from './split.ts';
import { describeTroubles, type Trouble } from './troubles.ts';

const defaultDiscoveryMillis = 300_000;

interface Saved extends AdmissionState, FormatsState {
  /** undefined: the source had not found its start yet. */
  readonly splits?: readonly SplitPosition[];
  /** All splits were found. */
  readonly isComplete?: boolean;
  readonly time: SourceTimeState;
  readonly opened: number;
}

/** The source's end of the channel to its reader. */
export type ReaderThread = Pick<Worker, 'postMessage' | 'terminate'> & {
  on(event: 'message', listener: (message: ToSource) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
};

export function createKafkaSource(
  node: NodeOf<'kafka'>,
  functions: FunctionTable,
  alignment = new AlignmentGroups(),
  startReader: (request: ReadRequest) => ReaderThread = startReaderThread,
): KafkaSource {
  return new KafkaSource(node, functions, alignment, startReader);
}

export class KafkaSource implements Source {
  readonly #node: NodeOf<'kafka'>;
  readonly #parameters: NodeOf<'kafka'>['parameters'];
  readonly #alignment: AlignmentGroups;
  readonly #formats: RecordFormats;
  readonly #startReader: (request: ReadRequest) => ReaderThread;
  #context!: SourceContext;
  #connection!: Connection;
  #time!: SourceTime;
  #splits!: SourceSplits;
  #admission!: Admission;
  #reader: ReaderThread | undefined;
  /** The start of a split is known. */
  #isStarted = false;
  #chunk: OpenChunk | undefined;
  #opened = 0;
  #troubles: readonly Trouble[] = [];
  #isFinished = false;
  #allowance: RateAllowance | undefined;

  constructor(
    node: NodeOf<'kafka'>,
    functions: FunctionTable,
    alignment: AlignmentGroups,
    startReader: (request: ReadRequest) => ReaderThread,
  ) {
    this.#node = node;
    this.#alignment = alignment;
    this.#parameters = node.parameters;
    this.#startReader = startReader;
    this.#formats = new RecordFormats(this.#parameters, functions, node.name);
  }

  open(context: SourceContext): void {
    this.#context = context;
    const { watermark } = this.#parameters;
    const aligned = this.#alignment.join(watermark?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), watermark, aligned);
    this.#time.countsAnswers();
    this.#splits = new SourceSplits(this.#time, this.#formats, this.#parameters.pattern !== undefined);
    this.#admission = new Admission(context.output, this.#time, this.#node.name);
    this.#opened++;
    // May throw; a source that failed is still asked for its snapshot.
    this.#connection = connectionNamed(this.#parameters.connection);
    this.#formats.open(() => context.wake());
    this.#allowance = allowanceOf(this.#parameters.rate, this.#node.name, context.inBatches === true);
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#admission.restore(saved);
    this.#opened += saved.opened;
    this.#formats.restore(saved);
    if (!saved.splits) return;
    this.#time.restore(saved.time);
    this.#isStarted = true;
    this.#splits.assign(saved.splits);
    if (saved.isComplete) this.#splits.unresolved([]);
  }

  snapshot(writer: StateWriter): void {
    writer.value({
      ...(this.#isStarted && { splits: this.#splits.positions(), isComplete: this.#splits.isComplete }),
      time: this.#time.snapshot(),
      ...this.#admission.snapshot(),
      opened: this.#opened,
      ...this.#formats.snapshot(),
    } satisfies Saved);
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#isFinished) return 'end';
    // Only now: a restore would have come before.
    if (!this.#reader) this.#start();
    const { output, clock } = this.#context;
    const now = clock.now();
    this.#admission.arrival = now;
    while ((this.#chunk ??= this.#splits.take(output.holdsTime === true))) {
      if (this.#emitChunk(this.#chunk, now) && !output.full) continue;
      const isHeldBack = output.full;
      this.#time.onClock(now, isHeldBack);
      if (isHeldBack) return 'more';
      this.#context.wakeAt(Math.min(this.#allowance!.next(now), this.#time.nextAt));
      return 'wait';
    }
    if (this.#isStarted && this.#parameters.until !== undefined && this.#splits.hasReachedEnd()) {
      this.#isFinished = true;
      this.#stopReader();
      this.#time.final();
      return 'end';
    }
    this.#time.onClock(now);
    const { wakeAt } = this.#time;
    if (wakeAt < Infinity) this.#context.wakeAt(wakeAt);
    return 'wait';
  }

  position(): string {
    const { topic, from } = this.#parameters;
    if (!this.#isStarted) return `${topic} ${typeof from === 'string' ? from : JSON.stringify(from)}`;
    const places = this.#splits
      .positions()
      .map((split) => `${this.#parameters.pattern ? nameOf(split) : split.partition}:${split.offset}`);
    return [topic, ...places].join(' ');
  }

  status(): SourceStatus {
    const { emitted, errors, firstProblem } = this.#admission;
    const trouble = describeTroubles(this.#troubles, Date.now()) ?? this.#formats.waiting;
    const waiting = trouble ?? this.#waiting();
    return {
      entries: 0,
      ...this.#formats.status(),
      opened: this.#opened,
      phase: this.#isFinished ? 'finished' : !this.#isStarted ? 'connecting' : emitted === 0 ? 'waiting' : 'live',
      partitions: this.#splits.partitions(this.#context.clock.now()),
      emitted,
      errors,
      ...(firstProblem !== undefined && { firstRejection: firstProblem }),
      ...(trouble !== undefined && { trouble }),
      ...(waiting !== undefined && { waiting }),
    };
  }

  /** The reason why no records arrive, if there is one. */
  #waiting(): string | undefined {
    const aligning = this.#time?.waiting;
    if (aligning !== undefined) return aligning;
    const { emitted, lastProblem } = this.#admission;
    if (!this.#isStarted || emitted > 0) return undefined;
    if (lastProblem !== undefined) return `no record is usable: ${lastProblem}`;
    return `no record has come from ${this.#parameters.topic} yet`;
  }

  close(): void {
    this.#time?.close();
    this.#formats.close();
    this.#stopReader();
    this.#splits?.clear();
    this.#chunk = undefined;
  }

  // --------------------------------------------------------------------------------------- records

  /** Emits the chunk in hand. False: no room for more, or the rate is used up. */
  #emitChunk(open: OpenChunk, now: number): boolean {
    const { chunk, state, text } = open;
    const { count, lengths, offsets, timestamps, keys } = chunk.columns;
    const { output } = this.#context;
    const { decoder } = this.#formats;
    const admission = this.#admission;
    const allowance = this.#allowance;
    const holdsTime = output.holdsTime === true;
    let next = state.next;
    try {
      while (open.at < count) {
        if (!this.#splits.mayRead(state, holdsTime)) {
          this.#chunk = undefined;
          this.#splits.setAside(open);
          return true;
        }
        if (allowance && !allowance.take(now)) return false;
        if (holdsTime) state.share--;
        const i = open.at++;
        const length = lengths[i]!;
        const start = open.bytesAt;
        if (length > 0) open.bytesAt += length;
        const offset = offsets[i]!;
        const keyStart = open.keysAt;
        const isElement = decoder.decode(text, start, length, timestamps[i]!, keys && keyOf(open, i));
        if (decoder.waits) {
          this.#formats.hold(open, start, keyStart);
          if (holdsTime) state.share++;
          continue;
        }
        // Only now: user code that throws leaves the position at the record.
        next = offset + 1;
        if (!isElement) admission.reject(state, offset, rawText(text, start, length), timestamps[i]!, decoder.problem);
        // A tombstone may delete nothing.
        else if (!keys || decoder.value !== undefined) admission.admit(state, offset, decoder.value, decoder.timestamp);
        if (output.full) break;
      }
    } finally {
      this.#splits.readTo(open, next);
    }
    if (open.at < count) return true;
    this.#chunk = undefined;
    this.#splits.finish(open);
    this.#tellReader({ kind: 'credit', split: chunk.split, bytes: chunk.bytes });
    return true;
  }

  // --------------------------------------------------------------------------------- micro-batches

  share(records: number): void {
    this.#splits.share(this.#isStarted ? records : Infinity);
  }
  behind(): number {
    return this.#splits.lag();
  }
  awaits(): boolean {
    return this.#splits.awaits(this.#context.output.holdsTime === true);
  }
  endBatch(now: number): void {
    this.#time.endBatch(now);
  }

  // ---------------------------------------------------------------------------------------- splits

  /** Reads these splits from now on, as far as they are new. */
  assign(splits: readonly SplitPosition[]): void {
    const added = this.#splits.assign(splits);
    if (added.length > 0) this.#tellReader({ kind: 'assign', splits: added });
  }
  /** Reads these splits no more. Their positions leave the snapshot. */
  revoke(names: readonly string[]): void {
    this.#revoke(names);
    this.#tellReader({ kind: 'revoke', splits: names });
  }
  #revoke(names: readonly string[]): void {
    if (this.#chunk && names.includes(this.#chunk.state.name)) this.#chunk = undefined;
    this.#splits.revoke(names);
  }

  // ------------------------------------------------------------------------------------ the reader

  #start(): void {
    const parameters = this.#parameters;
    const { topic, pattern, from, until, maxBatchBytes, tableKey } = parameters;
    const { discoveryMillis = defaultDiscoveryMillis } = parameters;
    const { brokers, variable } = this.#connection;
    const known = this.#splits.positions();
    const reader = this.#startReader({
      brokers,
      variable,
      topic,
      ...(pattern && { pattern }),
      discoveryMillis,
      from,
      until,
      maxBatchBytes,
      keys: tableKey !== undefined,
      known,
      isComplete: this.#isStarted && this.#splits.isComplete,
    });
    this.#reader = reader;
    reader.on('message', (message) => this.#receive(message));
    reader.on('error', (error) => this.#readerFailed(reader, String(error)));
    reader.on('exit', (code) => this.#readerFailed(reader, `exit code ${code}`));
    if (known.length > 0) this.#tellReader({ kind: 'assign', splits: known });
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
      case 'found':
        this.#isStarted = true;
        this.#splits.unresolved(message.unresolved);
        this.assign(message.splits);
        break;
      case 'gone':
        this.#revoke(message.splits);
        break;
      case 'chunks':
      case 'ends':
      case 'silent':
      case 'ended':
        this.#splits.receive(message, this.#context.clock.now());
        break;
      case 'troubles':
        this.#troubles = message.troubles;
        return;
      case 'failed':
        this.#stopReader();
        this.#context.fail(new SluiceError(message.code, message.message, message.details));
        return;
    }
    this.#context.wake();
  }
  #readerFailed(reader: ReaderThread, what: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#context.fail(
      new SluiceError('kafka-failure', `The thread that reads topic "${this.#parameters.topic}" ended: ${what}.`),
    );
  }
}

/** undefined: the rate has no fixed limit. Errors: `not-in-batches`. */
function allowanceOf(
  rate: NodeOf<'kafka'>['parameters']['rate'],
  name: string,
  inBatches: boolean,
): RateAllowance | undefined {
  if (typeof rate === 'number') return new RateAllowance(rate);
  if (rate === undefined || inBatches) return undefined;
  throw new SluiceError(
    'not-in-batches',
    `"${name}" has rate: { pid }, which steers micro-batches, but the session is continuous. Run configure({ mode: { microBatch: "1s" } }), then this cell again; or give a number of records/s.`,
  );
}
