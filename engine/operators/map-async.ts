// mapAsync: emits the answer of an asynchronous call for each element, with at most `capacity`
// calls running. Flink's AsyncWaitOperator.
//
//   waiting ─capacity─► running ─answer─► answered ─its turn─► emitted
//      ▲                  │ └─timeout, error─► failed: the operator fails or drops the element
//      └────── retry ─────┘
//
// The timeout starts with the first call for an element and includes its retries, which follow at
// once. A snapshot holds all elements that are not emitted yet, in order. After a restore, elements
// without an answer are called again, so a call may happen twice. Barriers do not wait for answers:
// while a barrier is on its way, elements are accepted beyond the capacity and wait here. An answer
// that arrives after the operator has ended is ignored.
import { callOutside } from './outside-call.ts';
import { SluiceError } from '../errors/error.ts';
import { isError, messageOf } from '../errors/thrown.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { described } from '../values/kind.ts';
import { assertStorable } from '../values/storable.ts';
import { type AsyncQueue, type Call, isMark, OrderedQueue, type TimeMark, UnorderedQueue } from './async-queue.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

/**
 * How many elements are accepted beyond the capacity to let a barrier pass: as many as a channel
 * can hold.
 */
const mostBeforeBarrier = 4096;

interface RunningCall extends Call {
  /** In the time of the task's clock. */
  deadline: number;
  retriesLeft: number;
  readonly abort: AbortController;
}
/** An element in a snapshot. Without an answer it is called again. */
type Kept = TimeMark | { readonly element: unknown; readonly timestamp: number; readonly answer?: Call['answer'] };

export class MapAsyncOperator implements Operator {
  readonly ordersTime = true;
  at = 0;
  failedRecord: Operator['failedRecord'];
  readonly #f: (element: unknown, signal: AbortSignal) => unknown;
  readonly #parameters: NodeOf<'mapAsync'>['parameters'];
  readonly #queue: AsyncQueue<RunningCall>;
  /** In the queue, but the call has not started. */
  readonly #waiting: RunningCall[] = [];
  /** Ordered by deadline, because all calls have the same timeout. */
  readonly #running = new Set<RunningCall>();
  #context!: OperatorContext;
  /** When to check for overdue calls: never later than the first deadline. */
  #lookAt = Infinity;
  #isClosed = false;
  #answered = 0;
  #dropped = 0;
  #lastProblem = '';

  constructor(node: NodeOf<'mapAsync'>, functions: FunctionTable) {
    this.#parameters = node.parameters;
    this.#f = functions.get(this.#parameters.fn);
    this.#queue = this.#parameters.ordered ? new OrderedQueue() : new UnorderedQueue();
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze, name } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      if (!this.#goOn()) return i;
      if (!this.#hasRoom) return i;
      this.at = i;
      const element = batch.values[i];
      assertStorable(element, `An element that "${name}" keeps until it is answered`);
      this.#put({ element, timestamp: batch.timestamps[i]! });
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  advance(watermark: number): boolean {
    return this.#mark(watermark);
  }
  idle(_input: 0 | 1, isIdle: boolean): void {
    this.#mark(isIdle ? 'idle' : 'active');
  }
  tick(): boolean {
    return this.#goOn();
  }
  end(): boolean {
    return this.#goOn() && this.#queue.isEmpty;
  }

  get #hasRoom(): boolean {
    const { size } = this.#queue;
    const { capacity } = this.#parameters;
    if (size < capacity) return true;
    return size < capacity + mostBeforeBarrier && this.#context.barrierWaits?.() === true;
  }

  #mark(mark: TimeMark): true {
    this.#queue.mark(mark);
    // Items without room are emitted in a tick.
    if (!this.#drain()) this.#context.wake();
    return true;
  }
  #put(kept: Exclude<Kept, TimeMark>): void {
    const { retries } = this.#parameters;
    const call: RunningCall = { ...kept, deadline: Infinity, retriesLeft: retries, abort: new AbortController() };
    this.#queue.put(call);
    if (call.answer) this.#queue.answered(call);
    else {
      this.#waiting.push(call);
      this.#startWaiting();
    }
  }
  /**
   * Ends overdue calls, starts waiting ones, and emits all items that may leave. False: the output
   * is full.
   */
  #goOn(): boolean {
    this.#endOverdue();
    this.#startWaiting();
    return this.#drain();
  }
  #drain(): boolean {
    const { output } = this.#context;
    for (let next = this.#queue.next(); next !== undefined; next = this.#queue.next()) {
      if (isMark(next)) {
        if (next === 'idle') output.idle();
        else if (next === 'active') output.active();
        else output.watermark(next);
      } else if (next.answer !== 'drop') {
        output.emit(next.answer!.result, next.timestamp);
        if (output.full) return false;
      }
    }
    return true;
  }

  // ----------------------------------------------------------------------------------------- calls

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#parameters.capacity)
      this.#start(this.#waiting.shift()!);
  }
  #start(call: RunningCall): void {
    call.deadline = this.#context.clock.now() + this.#parameters.timeoutMillis;
    this.#running.add(call);
    if (this.#lookAt === Infinity) this.#look(call);
    this.#ask(call);
  }
  #ask(call: RunningCall): void {
    callOutside(
      this.#f,
      call.element,
      call.abort.signal,
      (result) => this.#answer(call, { result }),
      (error) => this.#failed(call, error),
    );
  }
  #answer(call: RunningCall, answer: NonNullable<Call['answer']>): void {
    if (this.#isClosed || !this.#running.delete(call)) return;
    call.answer = answer;
    if (answer !== 'drop') this.#answered++;
    this.#queue.answered(call);
    this.#context.wake();
  }
  #failed(call: RunningCall, error: unknown): void {
    if (this.#isClosed || !this.#running.has(call)) return;
    if (call.retriesLeft > 0) {
      call.retriesLeft--;
      this.#ask(call);
    } else if (this.#mayDrop(call, error)) this.#answer(call, 'drop');
    else this.#context.fail(error);
  }
  #endOverdue(): void {
    const now = this.#context.clock.now();
    if (now < this.#lookAt) return;
    this.#lookAt = Infinity;
    for (const call of this.#running) {
      if (call.deadline > now) return this.#look(call);
      const error = new SluiceError(
        'timeout',
        `"${this.#context.name}" had no answer within ${this.#parameters.timeoutMillis / 1000} s for ${described(call.element)}. Raise its timeout, or set onError: 'drop' to drop such elements.`,
      );
      call.abort.abort(error);
      if (!this.#mayDrop(call, error)) throw error;
      this.#answer(call, 'drop');
    }
  }
  /**
   * Plans the next check at the deadline of this call. Checks are rare, because to find the first
   * item of a changing set is slow.
   */
  #look({ deadline }: RunningCall): void {
    this.#lookAt = deadline;
    this.#context.wakeAt(deadline);
  }
  /** False: the operator fails. */
  #mayDrop({ element, timestamp }: RunningCall, error: unknown): boolean {
    if (this.#parameters.onError === 'drop') {
      this.#dropped++;
      this.#lastProblem = isError(error) ? messageOf(error) : described(error);
      return true;
    }
    this.failedRecord = { value: element, timestamp };
    this.close();
    return false;
  }

  // ----------------------------------------------------------------------------------------- state

  snapshot(writer: StateWriter): void {
    writer.orderedList(this.#queue.items().map((item): Kept => (isMark(item) ? item : keep(item))));
  }
  restore(reader: StateReader): void {
    for (const item of (reader.list() ?? []) as Kept[])
      if (isMark(item)) this.#queue.mark(item);
      else this.#put(item);
    if (!this.#queue.isEmpty) this.#context.wake();
  }
  status(): OperatorStatus {
    const onlyDrops = this.#dropped > 0 && this.#answered === 0;
    return {
      entries: 0,
      inFlight: this.#running.size + this.#waiting.length,
      ...(onlyDrops && {
        waiting: `every call has failed and its element was dropped; the last error: ${this.#lastProblem}`,
      }),
    };
  }
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { abort } of this.#running) abort.abort();
    this.#running.clear();
    this.#waiting.length = 0;
  }
}

/** A snapshot cannot hold every answer. An element with such an answer is called again. */
function keep({ element, timestamp, answer }: Call): Exclude<Kept, TimeMark> {
  if (!answer || (answer !== 'drop' && !isStorable(answer.result))) return { element, timestamp };
  return { element, timestamp, answer };
}
function isStorable(value: unknown): boolean {
  try {
    assertStorable(value, 'It');
    return true;
  } catch {
    return false;
  }
}
