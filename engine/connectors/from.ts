// The elements of an array, an iterable or an async iterable, in order.
//
// After a restore, an iterable that can start again (an array, a Set) is iterated again, up to the
// position. A generator or an async iterable gives its elements only once. After a restore, the
// source emits the elements that it had pulled, and then ends with an error, because the other
// elements are lost.
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { fresh } from '../codegen/specialize.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../contract/source.ts';
import { compileEventTimes, type EventTime } from '../time/event-time.ts';
import { SourceTime, type SourceTimeState } from '../time/source-time.ts';
import type { AlignmentGroups } from '../time/watermark-alignment.ts';
import { AsyncPull } from './async-pull.ts';
import { RateAllowance } from '../time/rate-allowance.ts';
import { rawText, RejectedRecords, type RejectedState } from './rejected-records.ts';

/** Of the iterable, the source's only split. An instance without it emits nothing. */
interface SavedElements {
  /** The number of elements emitted or rejected. */
  readonly position: number;
  /** Iteration has begun. A one-time iterable cannot begin again. */
  readonly begun: boolean;
  readonly ended: boolean;
  /** Elements that were pulled, but not emitted yet. */
  readonly ahead: readonly unknown[];
  readonly time: SourceTimeState;
}
interface Saved {
  readonly rejected: RejectedState;
  readonly opened: number;
}
/** The elements for a poll. 'pending': none has arrived yet. */
interface Elements {
  /** All elements, if they are in an array. They are read in place, from the position on. */
  readonly array?: readonly unknown[];
  next(): { readonly value: unknown } | 'pending' | 'end';
  ahead(): readonly unknown[];
  close(): void;
}

type StampLoop = (elements: readonly unknown[], from: number, to: number, times: Float64Array) => number;
/** The error of the selector at the element where the last loop ended. */
interface Thrown {
  failure: { readonly error: unknown } | undefined;
}

const longestRun = 2048;

/**
 * Writes the times of elements[from…to). Returns the index of the first element without a time, or
 * at which the selector threw. Each source has its own copy, see `fresh`.
 */
function stampLoop(timeOf: EventTime['of'], thrown: Thrown): StampLoop {
  return (elements, from, to, times) => {
    thrown.failure = undefined;
    let i = from;
    try {
      for (; i < to; i++) {
        const time = timeOf(elements[i]);
        if (time !== time) break;
        times[i - from] = time;
      }
    } catch (error) {
      // The elements before it are emitted first.
      thrown.failure = { error };
    }
    return i;
  };
}

export function createFromSource(node: NodeOf<'from'>, functions: FunctionTable, alignment: AlignmentGroups): Source {
  return new FromSource(node, functions, alignment);
}

class FromSource implements Source {
  readonly #node: NodeOf<'from'>;
  readonly #parameters: NodeOf<'from'>['parameters'];
  readonly #alignment: AlignmentGroups;
  readonly #allowance: RateAllowance | undefined;
  readonly #iterable: () => Iterable<unknown> | AsyncIterable<unknown>;
  /** Without it, the time of an element is the time at which it is read. */
  readonly #eventTime: EventTime | undefined;
  /** The time of an element needs no user code. */
  readonly #isCheap: boolean;
  readonly #stamp: StampLoop | undefined;
  readonly #thrown: Thrown = { failure: undefined };
  readonly #times = new Float64Array(longestRun);
  #context!: SourceContext;
  #time!: SourceTime;
  #rejected!: RejectedRecords;
  #elements: Elements | undefined;
  /**
   * An element taken from the iterable, but not emitted: it waits for the rate, or its selector
   * runs, or threw.
   */
  #taken: { readonly value: unknown } | undefined;
  #position = 0;
  #ended = false;
  #opened = 0;
  /** Another instance has what there is to read. */
  #isElsewhere = false;

  constructor(node: NodeOf<'from'>, functions: FunctionTable, alignment: AlignmentGroups) {
    this.#node = node;
    this.#alignment = alignment;
    this.#parameters = node.parameters;
    this.#iterable = functions.get(this.#parameters.elements.fn);
    const { timestamp, rate } = this.#parameters;
    this.#allowance = rate === undefined ? undefined : new RateAllowance(rate);
    this.#eventTime = timestamp && compileEventTimes(timestamp, functions, node.name, node.parameters.time);
    this.#isCheap = timestamp === undefined || 'field' in timestamp;
    this.#stamp = this.#eventTime && fresh(stampLoop, node.name)(this.#eventTime.of, this.#thrown);
  }

  open(context: SourceContext): void {
    this.#context = context;
    const { watermark } = this.#parameters;
    const aligned = this.#alignment.join(watermark?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), watermark, aligned);
    this.#rejected = new RejectedRecords(context);
    this.#opened = 1;
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#rejected.restore(saved.rejected);
    this.#opened += saved.opened;
    const [elements] = (reader.splits()?.values() ?? []) as Iterable<SavedElements>;
    this.#isElsewhere = elements === undefined;
    this.#ended = elements?.ended ?? true;
    if (!elements) return;
    this.#time.restore(elements.time);
    this.#position = elements.position;
    if (!elements.begun || elements.ended) return;
    this.#elements = this.#parameters.replayable
      ? skipped(this.#iterable() as Iterable<unknown>, elements.position)
      : remaining(elements.ahead, this.#node.name);
  }

  snapshot(writer: StateWriter): void {
    const elements = {
      position: this.#position,
      begun: this.#elements !== undefined,
      ended: this.#ended,
      ahead: [...(this.#taken ? [this.#taken.value] : []), ...(this.#elements?.ahead() ?? [])],
      time: this.#time.snapshot(),
    } satisfies SavedElements;
    writer.splits(new Map(this.#isElsewhere ? [] : [['elements', elements]]));
    writer.value({
      rejected: this.#rejected.snapshot(),
      opened: this.#opened,
    } satisfies Saved);
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#ended) return 'end';
    const elements = (this.#elements ??= this.#begin());
    const { output, clock } = this.#context;
    const now = clock.now();
    this.#time.partition(0);
    const allowance = output.holdsTime ? undefined : this.#allowance;
    if (elements.array) return this.#pollArray(elements.array, now, allowance);
    for (;;) {
      if (this.#time.isAhead(0)) return this.#wait(now);
      const next = this.#taken ?? elements.next();
      if (next === 'end') return this.#end();
      if (next === 'pending') return this.#wait(now);
      // If the selector throws, the position stays at the element.
      this.#taken = next;
      if (allowance && !allowance.take(now)) return this.#waitForRate(now, allowance);
      const timestamp = this.#eventTime ? this.#eventTime.of(next.value) : now;
      this.#taken = undefined;
      const at = this.#position++;
      if (Number.isNaN(timestamp)) this.#reject(next.value, at);
      else {
        this.#eventTime?.guess?.look(timestamp);
        this.#time.record(0, timestamp);
        output.emitAt(next.value, timestamp, 0, at);
      }
      if (output.full) return this.#heldBack(now);
    }
  }
  #pollArray(array: readonly unknown[], now: number, allowance: RateAllowance | undefined): 'more' | 'wait' | 'end' {
    const { output } = this.#context;
    const times = this.#times;
    if (!this.#stamp) times.fill(now);
    for (;;) {
      const from = this.#position;
      if (from >= array.length) return this.#end();
      if (this.#time.isAhead(0)) return this.#wait(now);
      if (output.full) return this.#heldBack(now);
      const left = allowance?.left(now) ?? Infinity;
      if (allowance && left < 1) return this.#waitForRate(now, allowance);
      const room = Math.min(this.#isCheap ? output.room : output.allowance, left, longestRun);
      const end = Math.min(array.length, from + room);
      const stamped = this.#stamp ? this.#stamp(array, from, end, times) : end;
      this.#eventTime?.guess?.lookAt(times, 0, stamped - from);
      this.#emitStamped(array, stamped, times);
      allowance?.spend(this.#position - from);
      if (this.#position < stamped || stamped === end) continue;
      if (this.#thrown.failure) throw this.#thrown.failure.error;
      this.#reject(array[stamped], this.#position++);
      allowance?.spend(1);
    }
  }
  /** Emits elements up to `to`, or until the source is ahead of others. */
  #emitStamped(array: readonly unknown[], to: number, times: Float64Array): void {
    for (let from = this.#position; from < to && !this.#time.isAhead(0);) {
      const passed = this.#time.records(0, times, to - from);
      this.#context.output.emitRun(array, from, from + passed, times, 0, from);
      from += passed;
      this.#position = from;
      if (from < to) times = times.subarray(passed);
    }
  }
  #wait(now: number): 'wait' {
    this.#time.onClock(now);
    const { wakeAt } = this.#time;
    if (wakeAt < Infinity) this.#context.wakeAt(wakeAt);
    return 'wait';
  }
  #waitForRate(now: number, allowance: RateAllowance): 'wait' {
    this.#time.onClock(now, 'by its rate');
    this.#context.wakeAt(Math.min(allowance.next(now), this.#time.wakeAt));
    return 'wait';
  }
  #heldBack(now: number): 'more' {
    this.#time.onClock(now, true);
    return 'more';
  }
  #end(): 'end' {
    this.#ended = true;
    this.#time.final();
    return 'end';
  }

  #begin(): Elements {
    const iterable = this.#iterable();
    if (this.#parameters.isAsync)
      return new AsyncPull(iterable as AsyncIterable<unknown>, () => this.#context.wake(), this.#node.name);
    return skipped(iterable as Iterable<unknown>, 0);
  }

  #reject(element: unknown, at: number): void {
    const emitted = this.#position - this.#rejected.count - 1;
    this.#rejected.add(this.#eventTime!.problem, `Element ${at} of ${this.#node.name}`, at, emitted, () =>
      rawText(element),
    );
  }

  endBatch(now: number): void {
    this.#time.endBatch(now);
  }

  position(): string {
    return `element ${this.#position}`;
  }
  progress() {
    return { element: this.#position };
  }

  status(): SourceStatus {
    const emitted = this.#position - this.#rejected.count;
    return {
      entries: 0,
      opened: this.#opened,
      phase: this.#ended ? 'finished' : emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      ...this.#rejected.status(emitted, this.#time),
      ...this.#eventTime?.guess?.note(this.#ended),
    };
  }

  close(): void {
    this.#time?.close();
    this.#elements?.close();
  }
}

/** The elements of a synchronous iterable after the first `count`. */
function skipped(iterable: Iterable<unknown>, count: number): Elements {
  if (Array.isArray(iterable)) return arrayElements(iterable);
  const iterator = iterable[Symbol.iterator]();
  let hasEnded = false;
  for (let i = 0; i < count && !hasEnded; i++) hasEnded = iterator.next().done === true;
  return {
    next() {
      if (hasEnded) return 'end';
      const result = iterator.next();
      if (result.done !== true) return result;
      hasEnded = true;
      return 'end';
    },
    ahead: () => [],
    close() {
      if (!hasEnded) iterator.return?.();
    },
  };
}

/** The source keeps the position. */
function arrayElements(array: readonly unknown[]): Elements {
  return { array, next: () => 'end', ahead: () => [], close: () => {} };
}

/** The elements that were pulled before the restore, and then the error. */
function remaining(ahead: readonly unknown[], name: string): Elements {
  let at = 0;
  return {
    next() {
      if (at < ahead.length) return { value: ahead[at++] };
      throw new SluiceError(
        'not-replayable',
        `"${name}" reads from a generator or an async iterable, which gives its elements only once, so it cannot continue after a restore. ` +
          'Its rows stay. Run its cell to iterate again.',
      );
    },
    ahead: () => ahead.slice(at),
    close: () => {},
  };
}
