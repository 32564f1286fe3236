// The state of one key: its open windows, ordered by start, each with its contents, the state of
// its trigger and its timers.
import type { Keyed } from '../state/keyed.ts';
import type { KeyRow } from '../state/keys.ts';
import type { WindowRange } from './assigner.ts';

export class OpenWindow<A> implements WindowRange {
  readonly key: WindowsOfKey<A>;
  start: number;
  end: number;
  /** undefined: no element since the last purge. */
  contents: A | undefined;
  /** The state of the trigger: a value, or the Map of a custom trigger. undefined: none. */
  trigger: unknown;
  eventTimers: Set<number> | undefined;
  processingTimers: Set<number> | undefined;
  #windowStart: Date | undefined;
  #windowEnd: Date | undefined;

  constructor(key: WindowsOfKey<A>, { start, end }: WindowRange) {
    this.key = key;
    this.start = start;
    this.end = end;
  }
  get windowStart(): Date {
    return (this.#windowStart ??= new Date(this.start));
  }
  get windowEnd(): Date {
    return (this.#windowEnd ??= new Date(this.end));
  }
  become({ start, end }: WindowRange): void {
    this.start = start;
    this.end = end;
    this.#windowStart = undefined;
    this.#windowEnd = undefined;
  }
  /** Number of live entries and timers. 0: the window can be removed. */
  get live(): number {
    const remembered = this.trigger instanceof Map ? this.trigger.size : this.trigger === undefined ? 0 : 1;
    const timers = (this.eventTimers?.size ?? 0) + (this.processingTimers?.size ?? 0);
    return (this.contents === undefined ? 0 : 1) + remembered + timers;
  }
}

export class WindowsOfKey<A> implements Keyed {
  readonly row: KeyRow;
  readonly tuple: readonly unknown[];
  touched = 0;
  written = 0;
  savedBytes = 0;
  /** Ordered by start, then by end. Windows of a merging assigner do not even touch each other. */
  readonly windows: OpenWindow<A>[] = [];

  constructor(row: KeyRow, tuple: readonly unknown[]) {
    this.row = row;
    this.tuple = tuple;
  }
  find(range: WindowRange): OpenWindow<A> | undefined {
    const found = this.windows[this.#placeOf(range)];
    return found && found.start === range.start && found.end === range.end ? found : undefined;
  }
  open(range: WindowRange): OpenWindow<A> {
    const window = new OpenWindow(this, range);
    const at = this.#placeOf(range);
    if (at === this.windows.length) this.windows.push(window);
    else this.windows.splice(at, 0, window);
    return window;
  }
  close(window: OpenWindow<A>): void {
    const at = this.#placeOf(window);
    if (this.windows[at] === window) this.windows.splice(at, 1);
  }
  /**
   * The windows that a new window merges with. Only for windows that never touch each other.
   * Windows that meet at a bound merge.
   */
  touching({ start, end }: WindowRange): readonly OpenWindow<A>[] {
    const { windows } = this;
    // The last window that starts earlier may reach into the range. All windows before it end
    // before it starts.
    let from = this.#placeOf({ start, end: -Infinity });
    if (from > 0 && windows[from - 1]!.end >= start) from--;
    let to = from;
    while (to < windows.length && windows[to]!.start <= end) to++;
    return from === to ? none : windows.slice(from, to);
  }

  /** Index of the window with these bounds, or the index where it would be inserted. */
  #placeOf({ start, end }: WindowRange): number {
    const { windows } = this;
    let low = 0;
    let high = windows.length;
    // Most elements belong to the newest window.
    if (high > 0 && isBefore(windows[high - 1]!, start, end)) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(windows[middle]!, start, end)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
const none: readonly never[] = [];

function isBefore(window: WindowRange, start: number, end: number): boolean {
  return window.start < start || (window.start === start && window.end < end);
}
