// Windows of event time over a keyed stream: elements are added to their windows, and a window
// fires when the watermark reaches its last millisecond.
//
//   a window:  open ──watermark ≥ end − 1──► fired ──watermark ≥ end − 1 + lateness──► removed
//              fired: an element fires the window again for its key
//              removed: all further elements are late
//
// State is stored by window. A firing iterates over one window's keys and can stop after any row.
// After the last row the window is removed as a whole.
import type { Contents } from '../aggregates/accumulators.ts';
import { Emission } from '../contract/emission.ts';
import { fresh } from '../codegen/specialize.ts';
import { tooLate } from '../contract/late.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  Output,
  StateReader,
  StateWriter,
  VisitOpen,
} from '../contract/operator.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { freezeElements } from '../state/freeze.ts';
import { rowOf } from '../state/key-label.ts';
import type { KeyRow, Keys } from '../state/keys.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import { type Assigner, windowsOf, windowStart } from './assigner.ts';
import { newestOpen } from './open-results.ts';
import { Pane } from './pane.ts';
import { windowForm, windowText } from './window-columns.ts';
import { fireLoop, type FireLoop, type Span, windowLoop, type WindowLoop, type WindowLoopHost } from './window-loop.ts';

export interface WindowSettings<A extends Keyed> {
  readonly keys: Keys;
  readonly assigner: Assigner;
  readonly allowedLatenessMillis: number;
  readonly contents: (context: OperatorContext) => Contents<A>;
  /** A result is an iterable of rows, not one row. */
  readonly givesMany: boolean;
  /** User code runs for every element. */
  readonly mayBeSlow: boolean;
  /** A result calls no function of the user's, so it may be computed before the window closes. */
  readonly canPreview: boolean;
}

/** Number of cached spans. */
const maxSpans = 64;

export class WindowOperator<A extends Keyed> implements Operator, WindowLoopHost<A> {
  span: Span<A> = emptySpan;
  at = 0;
  newKey: unknown;
  readonly #settings: WindowSettings<A>;
  readonly #lateness: number;
  #context!: OperatorContext;
  #output!: Output;
  #contents!: Contents<A>;
  #loop!: WindowLoop;
  #fire!: FireLoop<A>;

  #watermark = -Infinity;
  readonly #panes = new Map<number, Pane<A>>();
  /**
   * Cached spans by their start, valid for the current watermark. Elements that are out of order
   * use them again.
   */
  readonly #spans = new Map<number, Span<A>>();
  /** Windows that have not fired, by their last millisecond. */
  readonly #open = new TimerQueue<Pane<A>>();
  /** Windows that have fired and are kept for late elements, by their cleanup time. */
  readonly #fired = new TimerQueue<Pane<A>>();
  #entries = 0;
  readonly table = new StateTable<A, Pane<A>>();

  // Progress of an unfinished call.
  #firing: Pane<A> | undefined;
  #nextEntry = 0;
  readonly #rows = new Emission();
  /** Number of the late element's windows that are done. */
  #admitted = 0;

  constructor(settings: WindowSettings<A>) {
    this.#settings = settings;
    this.#lateness = settings.allowedLatenessMillis;
  }
  open(context: OperatorContext): void {
    const { keys, mayBeSlow } = this.#settings;
    this.#context = context;
    this.#output = context.output;
    this.#contents = this.#settings.contents(context);
    this.#loop = windowLoop<A>(this, keys, this.#contents, context.output, mayBeSlow, context.uid);
    this.#fire = fresh(fireLoop<A>, context.uid)(this.#contents, context.output);
  }
  /** The key and window of user code while a window fires. */
  get working(): string | undefined {
    const pane = this.#firing;
    const entry = pane?.entries[Math.max(0, this.#nextEntry - 1)];
    if (!pane || !entry) return undefined;
    return windowText(entry.row, pane.start, pane.end);
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.#context.freeze) freezeElements(batch, from);
    return this.#loop(batch.values, batch.timestamps, from, batch.length);
  }

  // ---------------------------------------------------------------------------------- for the loop

  spanAt(timestamp: number): Span<A> {
    const { assigner } = this.#settings;
    const { sizeMillis, slideMillis } = assigner;
    const newest = windowStart(timestamp, assigner);
    // The set of windows changes where a window begins or ends.
    const ended = windowStart(timestamp - sizeMillis, assigner) + sizeMillis;
    const low = Math.max(newest, ended);
    const known = this.#spans.get(low);
    if (known) return (this.span = known);
    const windows = windowsOf(timestamp, assigner).filter(({ end }) => end - 1 + this.#lateness > this.#watermark);
    const panes = windows.map(({ start, end }) => this.#panes.get(start) ?? this.#newPane(start, end));
    const isGap = newest <= timestamp - sizeMillis;
    this.span = {
      low,
      high: Math.min(newest, ended) + slideMillis,
      panes,
      isQuiet: isGap || (panes.length > 0 && !panes.some(({ hasFired }) => hasFired)),
    };
    if (this.#spans.size === maxSpans) this.#spans.clear();
    this.#spans.set(low, this.span);
    return this.span;
  }
  insert(pane: Pane<A>, element: unknown, key: unknown, known: KeyRow | undefined): A {
    const { keys } = this.#settings;
    const row = known ?? keys.row(element, key);
    const entry = this.#contents.create(row, this.table.epoch, element);
    this.#enter(pane, entry);
    this.table.add(entry, pane);
    return entry;
  }
  admit(span: Span<A>, element: unknown, timestamp: number): boolean {
    if (span.panes.length === 0) {
      tooLate(this.#context, element, timestamp);
      return true;
    }
    for (; this.#admitted < span.panes.length; this.#admitted++) {
      if (this.#rows.isOpen) {
        if (!this.#rows.drain(this.#output)) return false;
        continue;
      }
      if (this.#output.full) return false;
      const pane = span.panes[this.#admitted]!;
      const entry = this.#add(pane, element);
      if (pane.hasFired && !this.#emit(entry, pane)) return false;
    }
    this.#admitted = 0;
    return true;
  }

  #add(pane: Pane<A>, element: unknown): A {
    const { keys } = this.#settings;
    const key = keys.read(element);
    const entry = keys.find(pane, key);
    if (!entry) return this.insert(pane, element, key, undefined);
    this.table.touch(entry, pane);
    this.#contents.add(entry, element);
    return entry;
  }
  #enter(pane: Pane<A>, entry: A): void {
    pane.set(this.#settings.keys.tuple(entry.row), entry);
    pane.enter(entry);
    this.#entries++;
  }
  #newPane(start: number, end: number): Pane<A> {
    const hasFired = end - 1 <= this.#watermark;
    const pane = new Pane<A>(start, end, hasFired);
    this.#panes.set(start, pane);
    if (hasFired) this.#fired.add(end - 1 + this.#lateness, pane);
    else this.#open.add(end - 1, pane);
    return pane;
  }
  /** The result of one entry; false: there is more. */
  #emit(entry: A, pane: Pane<A>): boolean {
    const result = this.#contents.result(entry, pane.windowStart, pane.windowEnd);
    if (!this.#settings.givesMany) {
      this.#output.emit(result, pane.end - 1);
      return true;
    }
    this.#rows.start(result, pane.end - 1, `apply of "${this.#context.name}"`);
    return this.#rows.drain(this.#output);
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (watermark > this.#watermark) {
      this.#watermark = watermark;
      this.span = emptySpan;
      this.#spans.clear();
    }
    for (;;) {
      const pane = this.#firing ?? this.#nextDue();
      if (!pane) break;
      if (!this.#fireRest(pane)) return false;
      this.#firing = undefined;
      this.#nextEntry = 0;
      pane.hasFired = true;
      if (this.#lateness > 0) this.#fired.add(pane.end - 1 + this.#lateness, pane);
      else this.#drop(pane);
      if (this.#output.full) return this.#nextDue(false) === undefined && this.#cleanUp();
    }
    return this.#cleanUp();
  }
  /** The earliest window that the watermark has reached. */
  #nextDue(take = true): Pane<A> | undefined {
    if (!this.#open.isDue(this.#watermark)) return undefined;
    if (!take) return this.#open.next;
    return (this.#firing = this.#open.shift());
  }
  /** False: the output is full and there is more. */
  #fireRest(pane: Pane<A>): boolean {
    if (!this.#settings.givesMany) {
      this.#nextEntry = this.#fire(pane, this.#nextEntry);
      return this.#nextEntry >= pane.entries.length;
    }
    if (!this.#rows.drain(this.#output)) return false;
    while (this.#nextEntry < pane.entries.length) {
      if (this.#output.full) return false;
      if (!this.#emit(pane.entries[this.#nextEntry++]!, pane)) return false;
    }
    return true;
  }
  #cleanUp(): boolean {
    while (this.#fired.isDue(this.#watermark)) this.#drop(this.#fired.shift()!);
    return true;
  }
  #drop(pane: Pane<A>): void {
    this.#panes.delete(pane.start);
    this.#entries -= pane.entries.length;
    this.table.drop(pane);
    pane.clear();
  }

  // ----------------------------------------------------------------------------------------- state

  get #form(): EntryForm<A> {
    return windowForm(this.#settings.keys, this.#contents, 'window');
  }
  snapshot(writer: StateWriter): void {
    this.table.write(writer, this.#form, (visit) =>
      this.#panes.forEach((pane) => pane.entries.forEach((entry) => visit(entry, pane))),
    );
    writer.minimum(this.#watermark);
  }
  restore(reader: StateReader): void {
    const { sizeMillis } = this.#settings.assigner;
    this.#watermark = reader.minimum() ?? -Infinity;
    this.table.read(reader, this.#form.schema, this.#context.name, ({ namespace, tuple, content, label }) => {
      const start = namespace!;
      const row = rowOf(tuple, label, this.#settings.keys);
      const pane = this.#panes.get(start) ?? this.#newPane(start, start + sizeMillis);
      this.#enter(pane, this.#contents.unpack(row, this.table.epoch, content));
    });
  }
  openResults(visit: VisitOpen): void {
    if (!this.#settings.canPreview) return;
    const { result } = this.#contents;
    const isOpen = (pane: Pane<A>): boolean => !pane.hasFired && pane !== this.#firing;
    for (const pane of newestOpen(this.#panes, isOpen, this.#settings.assigner)) {
      const { entries, windowStart, windowEnd } = pane;
      for (const entry of entries) if (!visit(result(entry, windowStart, windowEnd), pane)) return;
    }
  }
  status(): OperatorStatus {
    const next = this.#open.next;
    return { entries: this.#entries, ...(next && { nextWindow: { start: next.start, end: next.end } }) };
  }
  close(): void {
    this.#rows.close();
  }
}

/** A span that contains no time. */
const emptySpan: Span<never> = { low: Infinity, high: -Infinity, panes: [], isQuiet: true };
