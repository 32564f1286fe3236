// Interval join: joins each element with the elements of the other side whose time lies within the
// bounds around its own time. Flink's IntervalJoinOperator.
//
//   element ─► late (time < watermark) ─► side output `late`
//        └──► kept ─► one row for each partner that is already there, ordered by the partner's
//               │     time. The row's timestamp is the later one of the two.
//               └─► removed when the watermark reaches its cleanup time:
//                     left side: time + max(upper, 0); right side: time − min(lower, 0).
//                   In a left or outer join an element without a partner is then emitted alone,
//                   with the cleanup time as its timestamp.
//
// There can be many pairs: both loops stop when the output is full, and continue at the same place.
import { SluiceError } from '../errors/error.ts';
import type { IntervalBounds, JoinKind } from '../graph/join-spec.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { freezeElements } from '../state/freeze.ts';
import { JoinKeys } from '../state/join-keys.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import { compileKeys, type KeyRow } from '../state/keys.ts';
import { describedRow } from '../values/kind.ts';
import { assertStorable } from '../values/storable.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import { IntervalSide, type Kept } from './interval-side.ts';
import type { Select2 } from '../windows/join-pairs.ts';
import { tooLate } from '../contract/late.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

/** The state of one key. A side exists from its first element on. */
interface Entry extends Keyed {
  readonly sides: [Side | undefined, Side | undefined];
}
type Side = IntervalSide<Entry>;

/** A side in a snapshot. */
interface KeptColumns {
  readonly times: number[];
  readonly elements: unknown[];
  readonly matched: boolean[];
}

export function intervalJoin(
  node: NodeOf<'intervalJoin'>,
  functions: FunctionTable,
  left: KeySpec,
  right: KeySpec,
): Operator {
  const { lowerMillis, upperMillis, join, fn } = node.parameters;
  if (!(Number.isSafeInteger(lowerMillis) && Number.isSafeInteger(upperMillis) && lowerMillis <= upperMillis))
    throw new SluiceError(
      'bad-bounds',
      `The bounds of "${node.name}" are ${lowerMillis} and ${upperMillis} ms. They must be whole milliseconds, and the lower bound comes first.`,
    );
  const keys = new JoinKeys(compileKeys(left, functions, node.uid), compileKeys(right, functions, node.uid), node.name);
  return new IntervalJoin(keys, { lowerMillis, upperMillis }, join, functions.get<Select2>(fn));
}

export class IntervalJoin implements Operator {
  at = 0;
  readonly #keys: JoinKeys;
  readonly #select: Select2;
  /** By side: the bounds of a partner's time, relative to the element's own time. */
  readonly #from: readonly [number, number];
  readonly #to: readonly [number, number];
  /** By side: how long an element is kept after its own time. */
  readonly #keep: readonly [number, number];
  /** By side: whether an element without a partner is emitted alone. */
  readonly #emitsAlone: readonly [boolean, boolean];
  readonly #entries = new KeyMap<Entry>();
  readonly #table = new StateTable<Entry>();
  /**
   * Sides by the cleanup time of their first element. A side is in the queue twice when it has got
   * an earlier first element.
   */
  readonly #timers = new TimerQueue<Side>();
  #live = 0;
  #watermark = -Infinity;
  /** An `advance` has begun and is not done. */
  #isAdvancing = false;
  #context!: OperatorContext;

  // Progress of an unfinished call.
  /** The element that is being joined with its partners. */
  #meeting: Kept | undefined;
  #partners!: Side;
  #next = 0;
  /** The side whose first element is being emitted alone. */
  #alone: Side | undefined;

  constructor(keys: JoinKeys, { lowerMillis, upperMillis }: IntervalBounds, kind: JoinKind, select: Select2) {
    this.#keys = keys;
    this.#select = select;
    this.#from = [lowerMillis, -upperMillis];
    this.#to = [upperMillis, -lowerMillis];
    this.#keep = [Math.max(upperMillis, 0), Math.max(-lowerMillis, 0)];
    this.#emitsAlone = [kind !== 'inner', kind === 'outer'];
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  get working(): string | undefined {
    const side = this.#alone;
    if (!side) return undefined;
    const key = describedRow(side.entry.row);
    const time = new Date(side.first!.time).toISOString();
    return `${key}the ${side.input === 0 ? 'left' : 'right'} element of ${time} that found no partner`;
  }

  process(input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (!this.#meeting) this.#admit(input, batch.values[i], batch.timestamps[i]!);
      if (this.#meeting && !this.#meet(input)) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  }

  #admit(input: 0 | 1, element: unknown, time: number): void {
    if (time < this.#watermark) return tooLate(this.#context, element, time);
    const { name } = this.#context;
    assertStorable(element, `An element of "${name}"`);
    const entry = this.#entryOf(input, element);
    this.#table.touch(entry);
    const kept = { time, element, isMatched: false };
    this.#keepOn(entry, input, kept);
    const partners = entry.sides[input === 0 ? 1 : 0];
    if (!partners || partners.length === 0) return;
    this.#meeting = kept;
    this.#partners = partners;
    this.#next = partners.from(time + this.#from[input]);
  }
  #entryOf(input: 0 | 1, element: unknown): Entry {
    const keys = this.#keys;
    keys.side = input;
    const key = keys.read(element);
    const known = typeof key === 'object' ? keys.find(this.#entries, key) : this.#entries.plain.get(key);
    return known ?? this.#enter(keys.row(element, key));
  }
  #enter(row: KeyRow): Entry {
    const entry: Entry = { row, written: 0, savedBytes: 0, touched: 0, sides: [undefined, undefined] };
    this.#entries.set(this.#keys.tuple(row), entry);
    this.#table.add(entry);
    return entry;
  }
  #keepOn(entry: Entry, input: 0 | 1, kept: Kept): void {
    const side = (entry.sides[input] ??= new IntervalSide(entry, input));
    side.add(kept);
    this.#live++;
    const goes = kept.time + this.#keep[input];
    if (goes < side.wakesAt) this.#wake(side, goes);
  }
  #wake(side: Side, at: number): void {
    side.wakesAt = at;
    if (at < Infinity) this.#timers.add(at, side);
  }

  /** Emits a row for each partner; false: there are more. */
  #meet(input: 0 | 1): boolean {
    const { output } = this.#context;
    const select = this.#select;
    const one = this.#meeting!;
    const partners = this.#partners;
    const until = one.time + this.#to[input];
    for (;;) {
      const other = partners.at(this.#next);
      if (!other || other.time > until) break;
      const row = input === 0 ? select(one.element, other.element) : select(other.element, one.element);
      one.isMatched = true;
      other.isMatched = true;
      this.#next++;
      output.emit(row, Math.max(one.time, other.time));
      if (output.full) {
        const more = partners.at(this.#next);
        if (more && more.time <= until) return false;
      }
    }
    this.#meeting = undefined;
    return true;
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (!this.#isAdvancing) {
      // An element whose cleanup time is already at or below the watermark stays until the next
      // watermark, like any timer that is set too late.
      if (watermark <= this.#watermark) return true;
      this.#watermark = watermark;
      this.#isAdvancing = true;
    }
    while (this.#timers.isDue(watermark)) {
      if (!this.#cleanNext()) return false;
      if (this.#context.output.full && this.#timers.isDue(watermark)) return false;
    }
    this.#isAdvancing = false;
    return true;
  }
  /**
   * Removes the elements with the earliest cleanup time from one side of one key. False: the output
   * is full and there are more.
   */
  #cleanNext(): boolean {
    const time = this.#timers.nextTime;
    const side = this.#timers.next!;
    const isStale = side.wakesAt !== time;
    if (!isStale) this.#table.touch(side.entry);
    if (!isStale && !this.#clean(side, time)) return false;
    this.#timers.shift();
    if (isStale) return true;
    const { entry, input, first } = side;
    this.#wake(side, first ? first.time + this.#keep[input] : Infinity);
    if (entry.sides.every((one) => !one || one.length === 0)) {
      this.#entries.delete(this.#keys.tuple(entry.row));
      this.#table.delete(entry);
    }
    return true;
  }
  #clean(side: Side, time: number): boolean {
    const { output } = this.#context;
    const keep = this.#keep[side.input];
    const emitsAlone = this.#emitsAlone[side.input];
    for (;;) {
      const { first } = side;
      if (!first || first.time + keep > time) return true;
      if (emitsAlone && !first.isMatched) {
        if (output.full) return false;
        this.#alone = side;
        const row = side.input === 0 ? this.#select(first.element, undefined) : this.#select(undefined, first.element);
        this.#alone = undefined;
        output.emit(row, time);
      }
      side.shift();
      this.#live--;
    }
  }

  // ----------------------------------------------------------------------------------------- state

  get #form(): EntryForm<Entry> {
    const keys = this.#keys;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns: ['left', 'right'] },
      tupleOf: ({ row }) => keys.tuple(row),
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: ({ sides }) => sides.map(columnsOf),
    };
  }
  snapshot(writer: StateWriter): void {
    this.#table.write(writer, this.#form, (visit) => this.#entries.forEach((entry) => visit(entry)));
    writer.minimum(this.#watermark);
    writer.value({ names: this.#keys.names });
  }
  restore(reader: StateReader): void {
    const value = reader.value() as { readonly names?: readonly string[] } | undefined;
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#keys.restoreNames(value?.names);
    this.#table.read(reader, this.#form.schema, this.#context.name, ({ tuple, content, label }) => {
      const entry = this.#enter(rowOf(tuple, label, this.#keys));
      (content as readonly (KeptColumns | undefined)[]).forEach((columns, input) => {
        columns?.times.forEach((time, i) => {
          const kept = { time, element: columns.elements[i], isMatched: columns.matched[i]! };
          this.#keepOn(entry, input as 0 | 1, kept);
        });
      });
    });
  }
  status(): OperatorStatus {
    return { entries: this.#live };
  }
}

function columnsOf(side: Side | undefined): KeptColumns | undefined {
  if (!side || side.length === 0) return undefined;
  const columns: KeptColumns = { times: [], elements: [], matched: [] };
  side.forEach(({ time, element, isMatched }) => {
    columns.times.push(time);
    columns.elements.push(element);
    columns.matched.push(isMatched);
  });
  return columns;
}
