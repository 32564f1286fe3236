// The queue of asynchronous calls: elements wait for their answers, and marks of time wait for the
// elements before them. Flink's two StreamElementQueues.
//
//   ordered:    a ✓  b …  |10  c ✓     emitted: a; after b's answer, b and the rest
//   unordered:  a …  b ✓  |10  c ✓     emitted: b; after a's answer, a, the mark and c
//
// In the unordered queue an answer overtakes other elements up to the next mark, but never a mark.
// A mark is a watermark or a change of the input's idleness. Marks take no capacity. When very many
// marks wait (a call hangs, and only watermarks arrive), a later mark replaces the mark before it.
// Items that are not taken out yet keep their order of arrival, for the snapshot.

/** An element in the queue. */
export interface Call {
  readonly element: unknown;
  readonly timestamp: number;
  /** Set when the answer is there. `drop`: the element has no result. */
  answer?: { readonly result: unknown } | 'drop';
}
export type TimeMark = number | 'idle' | 'active';

export interface AsyncQueue<C extends Call> {
  /** Number of calls in the queue, with or without an answer. */
  readonly size: number;
  /** Calls or marks. */
  readonly isEmpty: boolean;
  put(call: C): void;
  mark(mark: TimeMark): void;
  /** Call this after `answer` has been set. */
  answered(call: C): void;
  /** Takes out the next item that may leave; undefined when the first items have to wait. */
  next(): C | TimeMark | undefined;
  /** All items in the order of arrival. */
  items(): (C | TimeMark)[];
}

/** Above this number, a new mark replaces the mark before it. */
const mostMarks = 1000;

/**
 * Which mark the later one makes unnecessary. 'both': idle after active, or active after idle,
 * cancel out.
 */
function outdates(later: TimeMark, former: TimeMark): 'former' | 'both' | undefined {
  if (typeof later !== typeof former) return undefined;
  return typeof later === 'number' || later === former ? 'former' : 'both';
}

export class OrderedQueue<C extends Call> implements AsyncQueue<C> {
  readonly #items: (C | TimeMark)[] = [];
  #marks = 0;
  size = 0;
  get isEmpty(): boolean {
    return this.#items.length === 0;
  }
  put(call: C): void {
    this.#items.push(call);
    this.size++;
  }
  mark(mark: TimeMark): void {
    const last = this.#items.at(-1);
    const outdated = this.#marks >= mostMarks && last !== undefined && isMark(last) ? outdates(mark, last) : undefined;
    if (outdated) {
      this.#items.pop();
      this.#marks--;
    }
    if (outdated === 'both') return;
    this.#items.push(mark);
    this.#marks++;
  }
  answered(): void {}
  next(): C | TimeMark | undefined {
    const first = this.#items[0];
    if (first === undefined) return undefined;
    if (isMark(first)) {
      this.#marks--;
      return this.#items.shift();
    }
    if (!first.answer) return undefined;
    this.size--;
    return this.#items.shift();
  }
  items(): (C | TimeMark)[] {
    return [...this.#items];
  }
}

/** The calls between two marks, with the mark that follows them. */
interface Segment<C> {
  readonly calls: Set<C>;
  /** Answered calls, in the order of their answers. */
  readonly ready: C[];
  mark?: TimeMark;
}

export class UnorderedQueue<C extends Call> implements AsyncQueue<C> {
  readonly #segments: Segment<C>[] = [];
  readonly #segmentOf = new Map<C, Segment<C>>();
  get size(): number {
    return this.#segmentOf.size;
  }
  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }
  put(call: C): void {
    const segment = this.#open();
    segment.calls.add(call);
    this.#segmentOf.set(call, segment);
  }
  mark(mark: TimeMark): void {
    const last = this.#segments.at(-1);
    const outdated =
      this.#segments.length >= mostMarks && last?.mark !== undefined ? outdates(mark, last.mark) : undefined;
    if (outdated === 'former') last!.mark = mark;
    else if (outdated === 'both') this.#reopen(last!);
    else this.#open().mark = mark;
  }
  answered(call: C): void {
    this.#segmentOf.get(call)!.ready.push(call);
  }
  next(): C | TimeMark | undefined {
    const first = this.#segments[0];
    if (!first) return undefined;
    const call = first.ready.shift();
    if (call) {
      first.calls.delete(call);
      this.#segmentOf.delete(call);
      if (first.calls.size === 0 && first.mark === undefined) this.#segments.shift();
      return call;
    }
    if (first.calls.size > 0) return undefined;
    this.#segments.shift();
    return first.mark;
  }
  items(): (C | TimeMark)[] {
    return this.#segments.flatMap(({ calls, mark }) => [...calls, ...(mark === undefined ? [] : [mark])]);
  }
  #reopen(last: Segment<C>): void {
    if (last.calls.size === 0) this.#segments.pop();
    else delete last.mark;
  }
  /** The segment that no mark has ended yet. */
  #open(): Segment<C> {
    const last = this.#segments.at(-1);
    if (last && last.mark === undefined) return last;
    const segment: Segment<C> = { calls: new Set(), ready: [] };
    this.#segments.push(segment);
    return segment;
  }
}

export function isMark(item: Call | TimeMark): item is TimeMark {
  return typeof item !== 'object';
}
