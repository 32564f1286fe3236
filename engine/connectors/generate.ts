// Records made by a function: record n is a function of (seed, start, n), so any number of readers see the same ones.
//
// With a rate, record n is due at start + n / rate; a poll emits all that are due, however late it comes, so a slow reader loses none. Without one, all are due.
// A record without a timestamp selector has happened at its `now`: arrival by the clock would differ from reader to reader.
import type { FunctionRef, FunctionTable, PlanNode, SelectorSpec, WatermarkSpec } from '../graph/plan.ts';
import type { StateReader, StateWriter } from '../operators/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../operators/source.ts';
import { compileEventTime } from '../time/event-time.ts';
import { SourceTime, type SourceTimeState } from '../time/source-time.ts';
import { RecordRandom, recordSeed, type RecordSeed } from './record-random.ts';
import { rawText, RejectedRecords } from './rejected-records.ts';
import type { SourceStarts } from './source-starts.ts';

interface Parameters {
  readonly rate?: number;
  readonly seed: number;
  readonly limit?: number;
  readonly next: { readonly fn: FunctionRef };
  readonly timestamp?: SelectorSpec;
  readonly watermark?: WatermarkSpec;
}
interface Saved {
  readonly n: number;
  /** undefined: it was never polled. */
  readonly start?: number;
  readonly time: SourceTimeState;
  readonly emitted: number;
  readonly errors: number;
  readonly opened: number;
}

/** Where time begins for records without a rate. */
const epochOfUnpaced = Date.UTC(2024, 0, 1);
/** Due records are not fetched one by one when there are many a second: this much they wait for each other. */
const gatherMillis = 10;

export function createGenerateSource(node: PlanNode, functions: FunctionTable, starts: SourceStarts): Source {
  return new GenerateSource(node, functions, starts);
}

/** What the function gets for one record. It may be kept: every record has its own, and what is not asked for costs nothing. */
class GenerateContext {
  readonly n: number;
  readonly #at: number;
  readonly #seed: RecordSeed;
  #numbers: RecordRandom | undefined;

  constructor(n: number, at: number, seed: RecordSeed) {
    this.n = n;
    this.#at = at;
    this.#seed = seed;
  }
  get now(): Date {
    return new Date(this.#at);
  }
  get random(): () => number {
    const numbers = (this.#numbers ??= new RecordRandom(this.#seed, this.n));
    return () => numbers.next();
  }
}

class GenerateSource implements Source {
  readonly #node: PlanNode;
  readonly #starts: SourceStarts;
  readonly #next: (context: GenerateContext) => unknown;
  readonly #timestampOf: ((element: unknown) => number | string) | undefined;
  readonly #spec: WatermarkSpec | undefined;
  readonly #seed: RecordSeed;
  readonly #limit: number;
  readonly #millisEach: number;
  readonly #isPaced: boolean;
  #context!: SourceContext;
  #time!: SourceTime;
  #rejected!: RejectedRecords;
  #start: number | undefined;
  #hasJoined = false;
  #n = 0;
  #emitted = 0;
  #opened = 0;

  constructor(node: PlanNode, functions: FunctionTable, starts: SourceStarts) {
    const { rate, seed, limit, next, timestamp, watermark } = node.parameters as unknown as Parameters;
    this.#node = node;
    this.#starts = starts;
    this.#next = functions.get(next.fn);
    this.#timestampOf = timestamp && compileEventTime(timestamp, functions, node.name);
    this.#spec = watermark;
    this.#seed = recordSeed(seed);
    this.#limit = limit ?? Infinity;
    this.#isPaced = rate !== undefined;
    this.#millisEach = rate === undefined ? 1 : 1000 / rate;
  }

  open(context: SourceContext): void {
    this.#context = context;
    this.#time = new SourceTime(context.output, context.clock.now(), this.#spec);
    this.#rejected = new RejectedRecords(context, 0);
    this.#opened = 1;
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#n = saved.n;
    this.#emitted = saved.emitted;
    this.#rejected.count = saved.errors;
    this.#opened += saved.opened;
    if (saved.start === undefined) return;
    this.#time.restore(saved.time);
    this.#begin(saved.start);
    this.#start = saved.start;
  }

  snapshot(writer: StateWriter): void {
    writer.value({
      n: this.#n,
      ...(this.#start !== undefined && { start: this.#start }),
      time: this.#time.snapshot(),
      emitted: this.#emitted,
      errors: this.#rejected.count,
      opened: this.#opened,
    } satisfies Saved);
  }

  #begin(proposed: number): number {
    if (!this.#isPaced) return epochOfUnpaced;
    this.#hasJoined = true;
    return this.#starts.join(this.#node, proposed);
  }

  poll(): 'more' | 'wait' | 'end' {
    const { output, clock } = this.#context;
    const now = clock.now();
    const start = (this.#start ??= this.#begin(now));
    this.#time.partition(0);
    const due = this.#isPaced ? Math.min(this.#limit, dueBy(now - start, this.#millisEach)) : this.#limit;
    while (this.#n < due) {
      this.#emitNext(start);
      if (output.full) break;
    }
    if (this.#n >= this.#limit) {
      this.#time.final();
      return 'end';
    }
    const isHeldBack = this.#n < due;
    this.#time.onClock(now, isHeldBack);
    if (isHeldBack) return 'more';
    const nextDue = Math.ceil(start + this.#n * this.#millisEach);
    this.#context.wakeAt(Math.min(this.#millisEach < gatherMillis ? now + gatherMillis : nextDue, this.#time.nextAt));
    return 'wait';
  }

  #emitNext(start: number): void {
    const n = this.#n;
    const at = Math.floor(start + n * this.#millisEach);
    const element = this.#next(new GenerateContext(n, at, this.#seed));
    const timestamp = this.#timestampOf ? this.#timestampOf(element) : at;
    this.#n = n + 1;
    if (typeof timestamp === 'string') {
      this.#rejected.add(timestamp, `${this.#node.name} n=${n}`, n, this.#emitted, () => rawText(element));
      return;
    }
    this.#emitted++;
    this.#time.record(0, timestamp);
    this.#context.output.emitAt(element, timestamp, 0, n);
  }

  position(): string {
    return `n=${this.#n}`;
  }

  status(): SourceStatus {
    const isFinished = this.#n >= this.#limit;
    return {
      entries: 0,
      opened: this.#opened,
      phase: isFinished ? 'finished' : this.#emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      errors: this.#rejected.count,
      ...this.#rejected.waiting(this.#emitted),
    };
  }

  close(): void {
    if (this.#hasJoined) this.#starts.leave(this.#node);
    this.#hasJoined = false;
  }
}

/** How many records are due when so much time has passed: record n at n · each, the first at once. */
function dueBy(passedMillis: number, each: number): number {
  if (passedMillis < 0) return 0;
  let due = Math.floor(passedMillis / each) + 1;
  // Division and multiplication round differently: the rule is the one of `now`.
  while (due > 0 && (due - 1) * each > passedMillis) due--;
  while (due * each <= passedMillis) due++;
  return due;
}
