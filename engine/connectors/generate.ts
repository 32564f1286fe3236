// Records made by a function. Record n is a function of (seed, start, n), so all readers see the
// same records.
//
// With a rate, record n is due at start + n / rate. A poll emits all due records, so a slow reader
// loses none. Without a rate, all are due. Without a timestamp selector, the event time of a record
// is its `now`; the clock would give different times to different readers.
import type { WatermarkSpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { fresh } from '../codegen/specialize.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { Source, SourceContext, SourceOutput, SourceStatus } from '../contract/source.ts';
import { compileEventTimes, type EventTime } from '../time/event-time.ts';
import { SourceTime, type SourceTimeState } from '../time/source-time.ts';
import type { AlignmentGroups } from '../time/watermark-alignment.ts';
import { RecordRandom, recordSeed, type RecordSeed } from './record-random.ts';
import { rawText, RejectedRecords, type RejectedState } from './rejected-records.ts';
import type { SourceStarts } from './source-starts.ts';

/** Of the sequence, the source's only split. An instance without it emits nothing. */
interface SavedSequence {
  readonly n: number;
  /** undefined: the source was never polled. */
  readonly start?: number;
  readonly time: SourceTimeState;
}
interface Saved {
  readonly rejected: RejectedState;
  readonly opened: number;
}

/** The start time of records without a rate. */
const epochOfUnpaced = Date.UTC(2024, 0, 1);
/** At a high rate, due records wait this long, so that they are emitted together. */
const gatherMillis = 10;

export function createGenerateSource(
  node: NodeOf<'generate'>,
  functions: FunctionTable,
  starts: SourceStarts,
  alignment: AlignmentGroups,
): Source {
  return new GenerateSource(node, functions, starts, alignment);
}

/** The values that all records of a source share. */
interface Origin {
  /** `now` of record 0. */
  readonly start: number;
  readonly millisEach: number;
  readonly seed: RecordSeed;
}

/**
 * The argument of the function for one record. The function may keep it: every record has its own.
 * Its fields are computed only when they are read.
 */
class GenerateContext {
  readonly n: number;
  readonly #origin: Origin;
  #numbers: RecordRandom | undefined;

  constructor(n: number, origin: Origin) {
    this.n = n;
    this.#origin = origin;
  }
  get now(): Date {
    const { start, millisEach } = this.#origin;
    return new Date(Math.floor(start + this.n * millisEach));
  }
  get random(): () => number {
    const numbers = (this.#numbers ??= new RecordRandom(this.#origin.seed, this.n));
    return () => numbers.next();
  }
}

/** The part of the source that the loop uses. */
interface GenerateHost {
  n: number;
  /** Rejects record n, which has no event time. */
  reject(element: unknown, n: number): void;
}
type Loop = (origin: Origin, due: number) => void;

/**
 * Emits records up to `due`, within the allowance of the output. Each source has its own copy, see
 * `fresh`.
 */
function generateLoop(
  host: GenerateHost,
  next: (context: GenerateContext) => unknown,
  eventTime: EventTime | undefined,
  output: SourceOutput,
  time: SourceTime,
  Context: typeof GenerateContext,
): Loop {
  const timeOf = eventTime?.of;
  const guess = eventTime?.guess;
  // Record `host.n`, once it is made and until it is emitted or rejected.
  let isMade = false;
  let made: unknown;
  let madeTime = NaN;
  const make = (origin: Origin): void => {
    made = next(new Context(host.n, origin));
    madeTime = timeOf === undefined ? Math.floor(origin.start + host.n * origin.millisEach) : timeOf(made);
    isMade = true;
  };
  /**
   * Emits the record that is made, and more up to `end`, until one may need a watermark before it.
   * That one is made then. Stops at a record without a time, which is made too.
   */
  const run = (origin: Origin, end: number): void => {
    const { start, millisEach } = origin;
    // What is emitted here comes between the records before it and this one.
    time.record(0, madeTime);
    let newest = time.newestOf(0);
    const distance = time.askingDistance;
    const out = output.prepare(end - host.n);
    const { values, timestamps, partitions, offsets } = out;
    const first = out.length;
    let at = first;
    let n = host.n;
    values[at] = made;
    timestamps[at] = madeTime;
    partitions[at] = 0;
    offsets[at] = n;
    at++;
    n++;
    isMade = false;
    try {
      for (; n < end; n++) {
        const element = next(new Context(n, origin));
        const timestamp = timeOf === undefined ? Math.floor(start + n * millisEach) : timeOf(element);
        if (!(timestamp > newest - distance)) {
          made = element;
          madeTime = timestamp;
          isMade = true;
          break;
        }
        if (timestamp > newest) newest = timestamp;
        values[at] = element;
        timestamps[at] = timestamp;
        partitions[at] = 0;
        offsets[at] = n;
        at++;
      }
    } finally {
      host.n = n;
      guess?.lookAt(timestamps, first, at);
      time.passed(0, newest);
      out.length = at;
    }
  };
  return (origin, due) => {
    while (host.n < due) {
      const end = Math.min(due, host.n + output.allowance);
      if (end === host.n) return;
      if (!isMade) make(origin);
      if (madeTime === madeTime) {
        run(origin, end);
        continue;
      }
      isMade = false;
      host.reject(made, host.n);
      host.n++;
    }
  };
}

class GenerateSource implements Source, GenerateHost {
  n = 0;
  readonly #node: NodeOf<'generate'>;
  readonly #starts: SourceStarts;
  readonly #alignment: AlignmentGroups;
  readonly #next: (context: GenerateContext) => unknown;
  readonly #eventTime: EventTime | undefined;
  readonly #spec: WatermarkSpec | undefined;
  readonly #seed: RecordSeed;
  readonly #limit: number;
  readonly #millisEach: number;
  readonly #isPaced: boolean;
  #context!: SourceContext;
  #time!: SourceTime;
  #rejected!: RejectedRecords;
  #loop!: Loop;
  #start: number | undefined;
  #hasJoined = false;
  #opened = 0;
  /** Another instance has what there is to read. */
  #isElsewhere = false;

  constructor(node: NodeOf<'generate'>, functions: FunctionTable, starts: SourceStarts, alignment: AlignmentGroups) {
    this.#alignment = alignment;
    const { rate, seed, limit, next, timestamp, watermark } = node.parameters;
    this.#node = node;
    this.#starts = starts;
    this.#next = functions.get(next.fn);
    this.#eventTime = timestamp && compileEventTimes(timestamp, functions, node.name, node.parameters.time);
    this.#spec = watermark;
    this.#seed = recordSeed(seed);
    this.#limit = limit ?? Infinity;
    this.#isPaced = rate !== undefined;
    this.#millisEach = rate === undefined ? 1 : 1000 / rate;
  }

  open(context: SourceContext): void {
    this.#context = context;
    const aligned = this.#alignment.join(this.#spec?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), this.#spec, aligned);
    this.#rejected = new RejectedRecords(context);
    this.#opened = 1;
    this.#loop = fresh(generateLoop, this.#node.name)(
      this,
      this.#next,
      this.#eventTime,
      context.output,
      this.#time,
      GenerateContext,
    );
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#rejected.restore(saved.rejected);
    this.#opened += saved.opened;
    const [sequence] = (reader.splits()?.values() ?? []) as Iterable<SavedSequence>;
    if (!sequence) {
      this.#isElsewhere = true;
      return;
    }
    this.n = sequence.n;
    if (sequence.start === undefined) return;
    this.#time.restore(sequence.time);
    this.#begin(sequence.start);
    this.#start = sequence.start;
  }

  snapshot(writer: StateWriter): void {
    const sequence = {
      n: this.n,
      ...(this.#start !== undefined && { start: this.#start }),
      time: this.#time.snapshot(),
    } satisfies SavedSequence;
    writer.splits(new Map(this.#isElsewhere ? [] : [['sequence', sequence]]));
    writer.value({
      rejected: this.#rejected.snapshot(),
      opened: this.#opened,
    } satisfies Saved);
  }

  #begin(proposed: number): number {
    if (!this.#isPaced) return epochOfUnpaced;
    this.#hasJoined = true;
    return this.#starts.join(this.#node, proposed);
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#isElsewhere) return 'end';
    const now = this.#context.clock.now();
    const start = (this.#start ??= this.#begin(now));
    this.#time.partition(0);
    const due = this.#isPaced ? Math.min(this.#limit, dueBy(now - start, this.#millisEach)) : this.#limit;
    const origin = { start, millisEach: this.#millisEach, seed: this.#seed };
    if (this.#time.isAligned) this.#pollAligned(origin, due);
    else this.#loop(origin, due);
    if (this.n >= this.#limit) {
      this.#time.final();
      return 'end';
    }
    const isAhead = this.#time.isAhead(0);
    const isHeldBack = this.n < due && !isAhead;
    this.#time.onClock(now, isHeldBack);
    if (isHeldBack) return 'more';
    if (isAhead) {
      this.#context.wakeAt(this.#time.wakeAt);
      return 'wait';
    }
    const nextDue = Math.ceil(start + this.n * this.#millisEach);
    this.#context.wakeAt(Math.min(this.#millisEach < gatherMillis ? now + gatherMillis : nextDue, this.#time.nextAt));
    return 'wait';
  }

  /** Each record may put the source ahead of others, so records are made one by one. */
  #pollAligned(origin: Origin, due: number): void {
    while (this.n < due && !this.#time.isAhead(0) && !this.#context.output.full) this.#loop(origin, this.n + 1);
  }

  reject(element: unknown, n: number): void {
    const { problem } = this.#eventTime!;
    this.#rejected.add(problem, `${this.#node.name} n=${n}`, n, n - this.#rejected.count, () => rawText(element));
  }

  endBatch(now: number): void {
    this.#time.endBatch(now);
  }

  position(): string {
    return `n=${this.n}`;
  }
  progress() {
    return { n: this.n };
  }

  status(): SourceStatus {
    const isFinished = this.n >= this.#limit;
    const emitted = this.n - this.#rejected.count;
    return {
      entries: 0,
      opened: this.#opened,
      phase: isFinished ? 'finished' : emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      ...this.#rejected.status(emitted, this.#time),
      ...this.#eventTime?.guess?.note(isFinished),
    };
  }

  close(): void {
    this.#time?.close();
    if (this.#hasJoined) this.#starts.leave(this.#node);
    this.#hasJoined = false;
  }
}

/**
 * The number of due records after this time: record n is due at n · each, the first one at once.
 */
function dueBy(passedMillis: number, each: number): number {
  if (passedMillis < 0) return 0;
  let due = Math.floor(passedMillis / each) + 1;
  // Division and multiplication round differently. The result must agree with `now`.
  while (due > 0 && (due - 1) * each > passedMillis) due--;
  while (due * each <= passedMillis) due++;
  return due;
}
