// A topic as a source. Reading, decoding and event time are separate steps: a reader thread fetches
// chunks, this thread decodes their records, and admission.ts lets them in. The source joins no
// group and creates no topic. It commits offsets only to a group that the user names for that
// (group-commit.ts).
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
import type { Connection } from '../../connections/connection.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import { type GroupCommit, groupCommitOf, groupStatus } from './group-commit.ts';
import { keyOf, type OpenChunk } from './open-chunk.ts';
import { RateAllowance } from '../../time/rate-allowance.ts';
import type { ReadRequest, ToReader, ToSource } from './reader-messages.ts';
import { readRequest } from './read-request.ts';
import { startReaderThread } from './reader-thread.ts';
import { rawText } from './record-decoder.ts';
import { type FormatsState, RecordFormats } from './record-formats.ts';
import type { LostState } from './offset-gone.ts';
import { SourceSplits } from './source-splits.ts';
import { packSplits, restoreSplits } from './saved-splits.ts';
import type { SplitPosition } from './split.ts';
import { positionText, progressOf } from './split-progress.ts';
import { describeTroubles, type Trouble } from './troubles.ts';

interface Saved extends AdmissionState, FormatsState, LostState {
  /** Without what belongs to splits. */
  readonly time: SourceTimeState;
  readonly opened: number;
}

/** The source's end of the channel to its reader. */
export type ReaderThread = Pick<Worker, 'postMessage' | 'terminate'> & {
  on(event: 'message', listener: (message: ToSource) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown;
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
  #group: GroupCommit | undefined;

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
    const aligned = this.#alignment.join(this.#parameters.watermark?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), this.#parameters.watermark, aligned);
    this.#time.countsAnswers();
    this.#splits = new SourceSplits(this.#time, this.#formats, this.#parameters.pattern !== undefined);
    this.#admission = new Admission(context.output, this.#time, this.#node.name);
    this.#opened++;
    // May throw; a source that failed is still asked for its snapshot.
    this.#connection = connectionNamed(this.#parameters.connection);
    this.#group = groupCommitOf(this.#parameters.commitTo, this.#connection, () => context.wake());
    this.#formats.open(() => context.wake());
    this.#allowance = allowanceOf(this.#parameters.rate, this.#node.name, context.inBatches === true);
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#admission.restore(saved);
    this.#opened += saved.opened;
    this.#formats.restore(saved);
    this.#splits.lost.restore(saved);
    const splits = reader.splits();
    if (!splits) return;
    this.#isStarted = true;
    restoreSplits(splits, saved.time, this.#time, this.#splits);
  }

  /** Before the start is found there are no splits. */
  snapshot(writer: StateWriter): void {
    const { splits, time } = packSplits(this.#splits.positions(), this.#splits.withoutStart(), this.#time.snapshot());
    if (this.#isStarted) writer.splits(splits);
    writer.value({
      time,
      ...this.#admission.snapshot(),
      opened: this.#opened,
      ...this.#formats.snapshot(),
      ...this.#splits.lost.snapshot(),
    } satisfies Saved);
  }

  preCommit(checkpoint: number): boolean {
    if (this.#isStarted) this.#group?.noted(checkpoint, this.#splits.positions());
    return true;
  }
  complete(checkpoint: number): void {
    this.#group?.complete(checkpoint);
  }
  /** A checkpoint after the end commits the last offsets. */
  get hasUncommitted(): boolean {
    return this.#isFinished && this.#group?.isDone(this.#splits.positions()) === false;
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#isFinished) return 'end';
    if (!this.#reader) this.#start(); // A restore comes before the first poll.
    const { output, clock } = this.#context;
    const now = clock.now();
    this.#admission.arrival = now;
    this.#time.endOldSilence(now);
    while ((this.#chunk ??= this.#splits.take(output.holdsTime === true))) {
      if (this.#emitChunk(this.#chunk, now) && !output.full) continue;
      const isHeldBack = output.full;
      this.#time.onClock(now, isHeldBack);
      if (isHeldBack) return 'more';
      this.#context.wakeAt(Math.min(this.#allowance!.next(now), this.#time.nextAt));
      return 'wait';
    }
    const needed = this.#splits.needed(output.holdsTime === true);
    if (needed) this.#tellReader({ kind: 'blocked', needed });
    const failure = this.#splits.failureOfAll;
    if (failure && this.#splits.isDrained) throw failure;
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
    return positionText(this.#parameters, this.#isStarted ? this.#splits.positions() : undefined);
  }
  progress() {
    return progressOf(this.#isStarted ? this.#splits.positions() : []);
  }

  status(): SourceStatus {
    const { emitted, errors, firstProblem, firstTime } = this.#admission;
    const passing = describeTroubles(this.#troubles, Date.now()) ?? this.#formats.waiting;
    const trouble = [passing, this.#splits?.stopped].filter((text) => text !== undefined).join('; ') || undefined;
    const noRecord = this.#isStarted ? whyNoRecord(this.#admission, this.#parameters.topic) : undefined;
    const waiting = trouble ?? this.#time?.waiting ?? noRecord;
    return {
      entries: 0,
      ...this.#formats.status(),
      ...this.#splits.lost.status(this.#parameters.offsetReset, groupStatus(this.#group, this.#formats.status().note)),
      ...{ opened: this.#opened, emitted, errors },
      phase: this.#isFinished ? 'finished' : !this.#isStarted ? 'connecting' : emitted === 0 ? 'waiting' : 'live',
      partitions: this.#splits.partitions(this.#context.clock.now()),
      ...(firstTime !== undefined && this.#parameters.from !== 'earliest' && { beganAt: firstTime }),
      ...(firstProblem !== undefined && { firstRejection: firstProblem }),
      ...(trouble !== undefined && { trouble }),
      ...(waiting !== undefined && { waiting }),
    };
  }

  close(): void {
    this.#group?.close();
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
    const [{ output }, { decoder }] = [this.#context, this.#formats];
    const admission = this.#admission;
    const holdsTime = output.holdsTime === true;
    const allowance = holdsTime ? undefined : this.#allowance;
    const isTable = this.#parameters.tableKey !== undefined;
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
        const isElement = decoder.decode(text, start, length, timestamps[i]!, keys && keyOf(open, i), open);
        if (decoder.waits) {
          this.#formats.hold(open, start, keyStart);
          if (holdsTime) state.share++;
          continue;
        }
        // Only now: user code that throws leaves the position at the record.
        next = offset + 1;
        if (!isElement) admission.reject(state, offset, rawText(text, start, length), timestamps[i]!, decoder.problem);
        // A tombstone of a table may delete nothing.
        else if (!isTable || decoder.value !== undefined)
          admission.admit(state, offset, decoder.value, decoder.timestamp);
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
    const known = this.#splits.positions();
    const found = { known, unresolved: this.#splits.withoutStart(), hasLooked: this.#isStarted };
    const reader = this.#startReader(readRequest(this.#parameters, this.#connection, found));
    this.#reader = reader;
    reader.on('message', (message) => this.#receive(message));
    reader.on('error', (error) => this.#readerFailed(reader, String(error)));
    reader.on('messageerror', (error) => this.#readerFailed(reader, `an unreadable message (${String(error)})`));
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
      case 'splits-failed':
        this.#splitsFailed(message.splits, new SluiceError(message.code, message.message, message.details));
        break;
      case 'troubles':
        this.#troubles = message.troubles;
        return;
      case 'failed':
        this.#stopReader();
        this.#context.fail(new SluiceError(message.code, message.message, message.details));
        return;
      default:
        this.#splits.receive(message, this.#context.clock.now());
    }
    this.#context.wake();
  }
  /** The source fails as a whole with its last split, when all that was read is emitted. */
  #splitsFailed(splits: readonly string[], error: SluiceError): void {
    this.#splits.fail(splits, error);
    if (!this.#splits.failureOfAll) this.#context.failPartitions(splits, error);
  }
  #readerFailed(reader: ReaderThread, what: string): void {
    if (this.#reader !== reader) return;
    this.#stopReader();
    this.#context.fail(
      new SluiceError('kafka-failure', `The thread that reads topic "${this.#parameters.topic}" ended: ${what}.`),
    );
  }
}

function whyNoRecord({ emitted, lastProblem }: Admission, topic: string): string | undefined {
  if (emitted > 0) return undefined;
  if (lastProblem === undefined) return `no record has come from ${topic} yet`;
  return `no record was usable so far: ${lastProblem}`;
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
