// Sliding windows of event time with mergeable aggregates: an element is added to its slice once. A
// window that fires merges its slices for each key. The results, their order in time and the late
// elements are exactly those of `WindowOperator`, which adds every element to every window; a law
// holds the two together.
//
//   a window:  (no content) ──first slice──► pending ──watermark ≥ end − 1──► fired
//              (within the allowed lateness an element fires it again for its key)
//   a slice:   open ──its last window can no longer fire──► removed, with all its keys
//
// Only the next window with content is pending. After it has fired, the next one with content is
// pending. A window of one day that slides by a second has 86,400 windows at any time.
import type { Contents } from '../aggregates/accumulators.ts';
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
import { KeyMap } from '../state/key-map.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import type { Assigner } from './assigner.ts';
import { firstIn, openWindows } from './open-results.ts';
import { type Chain, type Link, Slice, Slices, sliceStart } from './slices.ts';
import {
  type Firing,
  type MergedLoops,
  mergedLoops,
  slicedLoop,
  type SlicedLoop,
  type SlicedLoopHost,
} from './sliced-window-loop.ts';
import { windowForm, windowText } from './window-columns.ts';
import type { WindowSettings } from './window-operator.ts';

/** Slices are worth it only if windows overlap. */
export function isSliced({ sizeMillis, slideMillis }: Assigner): boolean {
  return slideMillis < sizeMillis;
}

export class SlicedWindowOperator<A extends Keyed> implements Operator, SlicedLoopHost<A> {
  quiet: Slice<A> | undefined;
  at = 0;
  newKey: unknown;
  knownChain: Chain<A> | undefined;
  readonly chainByKey = new KeyMap<Chain<A>>();
  readonly #settings: Omit<WindowSettings<A>, 'givesMany'>;
  readonly #lateness: number;
  #context!: OperatorContext;
  #output!: Output;
  #contents!: Contents<A>;
  #loop!: SlicedLoop;
  #merged!: MergedLoops<A>;

  #watermark = -Infinity;
  readonly #slices = new Slices<A>();
  readonly #chains: Chain<A>[] = [];
  /** Ends of windows that have not fired: at least of the earliest window with content. */
  readonly #pending = new TimerQueue<number>();
  readonly #isPending = new Set<number>();
  #entries = 0;
  readonly table = new StateTable<A, Slice<A>>();

  // Progress of an unfinished call.
  #firing: Firing | undefined;
  /** The link of the late element that is being handled, and the next window to fire for it. */
  #late: { readonly link: Link<A>; end: number } | undefined;

  constructor(settings: Omit<WindowSettings<A>, 'givesMany'>) {
    this.#settings = settings;
    this.#lateness = settings.allowedLatenessMillis;
  }
  open(context: OperatorContext): void {
    const { keys, mayBeSlow } = this.#settings;
    this.#context = context;
    this.#output = context.output;
    this.#contents = this.#settings.contents(context);
    this.#loop = slicedLoop<A>(this, keys, this.#contents, context.output, mayBeSlow, context.uid);
    this.#merged = fresh(mergedLoops<A>, context.uid)(this.#contents, context.output);
  }
  /** The key and window of user code while a window fires. */
  get working(): string | undefined {
    const firing = this.#firing;
    if (!firing) return undefined;
    const { start, end, overChains, slice, at } = firing;
    const chain = overChains ? this.#chains[at - 1] : this.#slices.at(slice)?.links[at - 1]?.chain;
    if (!chain) return undefined;
    return windowText(chain.row, start, end);
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.#context.freeze) freezeElements(batch, from);
    return this.#loop(batch.values, batch.timestamps, from, batch.length);
  }

  // ---------------------------------------------------------------------------------- for the loop

  quietAt(timestamp: number): Slice<A> | undefined {
    const slice = this.#sliceAt(timestamp);
    return (this.quiet = slice.firstEnd - 1 > this.#watermark ? slice : undefined);
  }
  enter(slice: Slice<A>, element: unknown, key: unknown, chain: Chain<A> | undefined): void {
    this.#add(slice, element, key, chain);
  }
  admit(element: unknown, timestamp: number): boolean {
    if (!this.#late) {
      const slice = this.#sliceAt(timestamp);
      if (slice.lastEnd - 1 + this.#lateness <= this.#watermark) {
        tooLate(this.#context, element, timestamp);
        return true;
      }
      const { keys } = this.#settings;
      const key = keys.read(element);
      const link = this.#add(slice, element, key, keys.find(this.chainByKey, key));
      this.#late = { link, end: this.#newestFired(slice) };
    }
    // Newest first, like the windows of an element.
    const { link } = this.#late;
    const { sizeMillis, slideMillis } = this.#settings.assigner;
    for (; this.#late.end >= link.slice.firstEnd; this.#late.end -= slideMillis) {
      const { end } = this.#late;
      if (end - 1 + this.#lateness <= this.#watermark) break;
      if (this.#output.full) return false;
      let first = link;
      while (first.before !== undefined && first.before.slice.start >= end - sizeMillis) first = first.before;
      const all = this.#merged.merged(first, end);
      this.#output.emit(this.#contents.result(all, new Date(end - sizeMillis), new Date(end)), end - 1);
    }
    this.#late = undefined;
    return true;
  }
  /** End of the slice's newest window that has fired; below `firstEnd` when none has fired. */
  #newestFired({ lastEnd }: Slice<A>): number {
    const { slideMillis } = this.#settings.assigner;
    return lastEnd - Math.max(0, Math.ceil((lastEnd - 1 - this.#watermark) / slideMillis)) * slideMillis;
  }

  /** A new slice is not stored before it has content. */
  #sliceAt(timestamp: number): Slice<A> {
    const { assigner } = this.#settings;
    return this.#slices.find(sliceStart(timestamp, assigner)) ?? new Slice<A>(timestamp, assigner);
  }
  #add(slice: Slice<A>, element: unknown, key: unknown, chain: Chain<A> | undefined): Link<A> {
    const before = chain && lastUpTo(chain, slice);
    // The running merge of the last window does not contain this element.
    if (chain?.running && slice.start <= chain.running.last.slice.start) chain.running = undefined;
    if (before?.slice === slice) {
      this.table.touch(before.kept, slice);
      this.#contents.add(before.kept, element);
      return before;
    }
    const row = chain?.row ?? this.#settings.keys.row(element, key);
    return this.#link(slice, chain, before, this.#contents.create(row, this.table.epoch, element));
  }
  #link(slice: Slice<A>, known: Chain<A> | undefined, before: Link<A> | undefined, kept: A): Link<A> {
    if (slice.links.length === 0) {
      this.#slices.add(slice);
      this.#expect(slice);
    }
    const chain = known ?? this.#newChain(kept, slice);
    const link: Link<A> = { kept, slice, chain, before, after: before ? before.after : known?.first, rest: undefined };
    if (link.before) link.before.after = link;
    else chain.first = link;
    if (link.after) link.after.before = link;
    else {
      chain.last = link;
      chain.kept = kept;
      chain.slice = slice;
    }
    slice.links.push(link);
    this.#entries++;
    this.table.add(kept, slice);
    return link;
  }
  #newChain(kept: A, slice: Slice<A>): Chain<A> {
    const unset = undefined as unknown as Link<A>;
    const chain: Chain<A> = {
      row: kept.row,
      first: unset,
      last: unset,
      kept,
      slice,
      at: this.#chains.length,
      running: undefined,
    };
    this.#chains.push(chain);
    this.chainByKey.set(this.#settings.keys.tuple(kept.row), chain);
    return chain;
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (watermark > this.#watermark) {
      this.#watermark = watermark;
      this.quiet = undefined;
    }
    for (;;) {
      const firing = (this.#firing ??= this.#nextFiring());
      if (!firing) break;
      if (!this.#merged.fire(firing, this.#slices, this.#chains)) return false;
      this.#firing = undefined;
      this.#hasFired(firing.end);
      if (this.#output.full && this.#pending.isDue(watermark)) return false;
    }
    this.#dropUpTo(Infinity);
    return true;
  }
  /** Plans the first of the slice's windows that has not fired. */
  #expect({ firstEnd, lastEnd }: Slice<A>): void {
    const { slideMillis } = this.#settings.assigner;
    const fired = Math.max(0, Math.floor((this.#watermark + 1 - firstEnd) / slideMillis) + 1);
    const end = firstEnd + fired * slideMillis;
    if (end <= lastEnd) this.#expectEnd(end);
  }
  #expectEnd(end: number): void {
    if (this.#isPending.has(end)) return;
    this.#isPending.add(end);
    this.#pending.add(end - 1, end);
  }
  /** The earliest window that the watermark has reached. */
  #nextFiring(): Firing | undefined {
    if (!this.#pending.isDue(this.#watermark)) return undefined;
    const end = this.#pending.shift()!;
    this.#isPending.delete(end);
    const start = end - this.#settings.assigner.sizeMillis;
    const slice = this.#slices.indexFrom(start);
    let links = 0;
    for (let at = slice; (this.#slices.at(at)?.start ?? Infinity) < end; at++)
      links += this.#slices.at(at)!.links.length;
    return {
      start,
      end,
      windowStart: new Date(start),
      windowEnd: new Date(end),
      overChains: this.#chains.length < links,
      slice,
      at: 0,
    };
  }
  /** Plans the next window if it has content, and removes slices that no window needs. */
  #hasFired(end: number): void {
    const { sizeMillis, slideMillis } = this.#settings.assigner;
    const next = end + slideMillis;
    const first = this.#slices.at(this.#slices.indexFrom(next - sizeMillis));
    if (first && first.start < next) this.#expectEnd(next);
    this.#dropUpTo(end);
  }
  /** Removes the slices whose last window ends at or before `end` and can no longer fire. */
  #dropUpTo(end: number): void {
    for (;;) {
      const { first } = this.#slices;
      if (!first || first.lastEnd > end || first.lastEnd - 1 + this.#lateness > this.#watermark) return;
      this.#slices.shift();
      this.#entries -= first.links.length;
      this.table.drop(first);
      for (const link of first.links) this.#unlink(link);
    }
  }
  /** The link is the first of its chain, because the oldest slice is removed first. */
  #unlink(link: Link<A>): void {
    const { chain, after } = link;
    if (!after) return this.#dropChain(chain);
    chain.first = after;
    after.before = undefined;
    // V8's young-generation collections keep objects that garbage in the old generation refers to.
    // Without this, the link would keep all later links.
    link.after = undefined;
    link.rest = undefined;
  }
  #dropChain(chain: Chain<A>): void {
    this.chainByKey.delete(this.#settings.keys.tuple(chain.row));
    const moved = this.#chains.pop()!;
    if (moved === chain) return;
    this.#chains[chain.at] = moved;
    moved.at = chain.at;
  }

  // ----------------------------------------------------------------------------------------- state

  get #form(): EntryForm<A> {
    return windowForm(this.#settings.keys, this.#contents, 'slice');
  }
  snapshot(writer: StateWriter): void {
    this.table.write(writer, this.#form, (visit) =>
      this.#slices.forEach((slice) => slice.links.forEach(({ kept }) => visit(kept, slice))),
    );
    writer.minimum(this.#watermark);
  }
  restore(reader: StateReader): void {
    const { keys } = this.#settings;
    const { unpack } = this.#contents;
    this.#watermark = reader.minimum() ?? -Infinity;
    this.table.read(reader, this.#form.schema, this.#context.name, ({ namespace, tuple, content, label }) => {
      const slice = this.#sliceAt(namespace!);
      const chain = this.chainByKey.get(tuple);
      const row = chain?.row ?? rowOf(tuple, label, keys);
      this.#link(slice, chain, chain && lastUpTo(chain, slice), unpack(row, this.table.epoch, content));
    });
  }
  openResults(visit: VisitOpen): void {
    if (!this.#settings.canPreview) return;
    const { result } = this.#contents;
    const { merged } = this.#merged;
    const { assigner } = this.#settings;
    for (const window of openWindows(this.#slices.last?.firstEnd, this.#watermark, assigner)) {
      const [windowStart, windowEnd] = [new Date(window.start), new Date(window.end)];
      for (const { first } of this.#chains) {
        const link = firstIn(first, window);
        if (link && !visit(result(merged(link, window.end), windowStart, windowEnd), window)) return;
      }
    }
  }
  status(): OperatorStatus {
    const end = this.#pending.next;
    const { sizeMillis } = this.#settings.assigner;
    return { entries: this.#entries, ...(end !== undefined && { nextWindow: { start: end - sizeMillis, end } }) };
  }
}

/**
 * The key's last link that is not after the slice. Searched from the end, because elements arrive
 * mostly in order.
 */
function lastUpTo<A extends Keyed>(chain: Chain<A>, slice: Slice<A>): Link<A> | undefined {
  let link: Link<A> | undefined = chain.last;
  while (link !== undefined && link.slice.start > slice.start) link = link.before;
  return link;
}
