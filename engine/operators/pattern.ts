// pattern: complex event processing by key. Elements wait for the watermark. Then the automaton of
// their key processes them in time order, as in Flink's CepOperator.
//
//   element, timestamp > watermark ─► waits ──watermark──► advance time to its timestamp,
//                                     then match it: matches ─► out, timed out ─► timedOut
//   element, timestamp ≤ watermark ─► late
//
// A match has the timestamp of the element that completed it. A match that time completed
// (notFollowedBy at the end) has the timestamp of the element or watermark that advanced the time.
// A match that timed out has the timestamp of its time-out.
import { isTrue } from '../values/promise.ts';
import { contentOf, progressOf, type ProgressContent } from '../cep/progress-content.ts';
import { Matcher, type Progress } from '../cep/matcher.ts';
import type { Match } from '../cep/match.ts';
import type { PartialMatch } from '../cep/partial-match.ts';
import type { PatternSpec, Stage } from '../graph/pattern-spec.ts';
import type { Predicate } from '../cep/states.ts';
import { TimeOrder } from '../cep/time-order.ts';
import { type Sleeper, WakeUps } from '../cep/wake-ups.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { EntryForm, Keyed } from '../state/keyed.ts';
import { StateTable } from '../state/state-table.ts';
import { deepFreeze, freezeElements } from '../state/freeze.ts';
import { labelOf, rowOf } from '../state/key-label.ts';
import { KeyMap } from '../state/key-map.ts';
import { compileKeys, type KeyRow, type Keys } from '../state/keys.ts';
import { describedRow } from '../values/kind.ts';
import { assertStorable } from '../values/storable.ts';
import { tooLate } from '../contract/late.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

/** The state of one key. */
interface Entry extends Keyed, Sleeper {
  readonly tuple: readonly unknown[];
  readonly waiting: TimeOrder;
  progress: Progress;
  /**
   * Timers of later matches, while a match lives that began at time 0 or before. See
   * `#nextTimeout`.
   */
  alarms: number[];
}
/** What is saved of a key. */
type Content = readonly [
  waiting: { readonly elements: readonly unknown[]; readonly timestamps: readonly number[] },
  progress: ProgressContent,
  alarms: number[],
];

class PatternOperator implements Operator {
  at = 0;
  readonly #keys: Keys;
  readonly #matcher: Matcher;
  readonly #select: (match: Match) => unknown;
  readonly #entries = new KeyMap<Entry>();
  readonly #table = new StateTable<Entry>();
  readonly #wakeUps = new WakeUps<Entry>();
  #context!: OperatorContext;
  #kept = '';
  #live = 0;
  #watermark = -Infinity;

  // Progress of an unfinished `advance`.
  #isAdvancing = false;
  #entry: Entry | undefined;
  /** The time of the current key. */
  #time = -Infinity;
  /** The element that the predicates of the current key are looking at. */
  #element: unknown;

  constructor(keys: Keys, pattern: PatternSpec<Predicate>, select: (match: Match) => unknown) {
    this.#keys = keys;
    this.#matcher = new Matcher(pattern);
    this.#select = select;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#kept = `An element of "${context.name}"`;
  }
  get working(): string | undefined {
    const entry = this.#entry;
    if (!entry) return undefined;
    const key = describedRow(entry.row);
    const what = this.#element === undefined ? 'the watermark' : recordText(this.#element);
    const when = Number.isFinite(this.#time) ? ` at ${new Date(this.#time).toISOString()}` : '';
    return `${key}${what}${when}`;
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const element = batch.values[i];
      const timestamp = batch.timestamps[i]!;
      if (timestamp > this.#watermark) this.#keep(element, timestamp);
      else tooLate(this.#context, element, timestamp);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #keep(element: unknown, timestamp: number): void {
    assertStorable(element, this.#kept);
    const key = this.#keys.read(element);
    let entry = this.#keys.find(this.#entries, key);
    if (!entry) {
      const row = this.#keys.row(element, key);
      if (this.#context.freeze) deepFreeze(row);
      entry = newEntry(row, this.#keys.tuple(row), this.#matcher.start());
      this.#entries.set(entry.tuple, entry);
      this.#table.add(entry);
    } else this.#table.touch(entry);
    entry.waiting.add(element, timestamp);
    this.#live++;
    this.#wakeUps.forElement(entry, timestamp);
  }

  // ------------------------------------------------------------------------------------------ time

  advance(watermark: number): boolean {
    if (!this.#isAdvancing && watermark <= this.#watermark) return true;
    this.#isAdvancing = true;
    this.#watermark = watermark;
    for (;;) {
      if (!this.#entry) {
        const due = this.#wakeUps.take(watermark);
        if (!due) break;
        this.#begin(due);
      }
      if (!this.#goOn(this.#entry!)) return false;
      this.#finish(this.#entry!);
      if (this.#context.output.full) return false;
    }
    if (watermark === Infinity) this.#forgetAll();
    this.#isAdvancing = false;
    return true;
  }
  #begin(entry: Entry): void {
    this.#entry = entry;
    this.#table.touch(entry);
    this.#live -= this.#liveOf(entry);
    this.#time = -Infinity;
    this.#element = undefined;
  }
  /**
   * Emits, advances time and processes elements until nothing is due. False: the output is full.
   */
  #goOn(entry: Entry): boolean {
    const { output } = this.#context;
    const { progress, waiting } = entry;
    for (;;) {
      for (let match = this.#matcher.next(progress); match; match = this.#matcher.next(progress)) {
        output.emit(this.#select(this.#matcher.matchOf(match)), this.#timestampOf(match));
        if (output.full) return false;
      }
      for (let over = this.#matcher.nextTimedOut(); over; over = this.#matcher.nextTimedOut()) {
        if (!output.hasReader('timedOut')) continue;
        output.emitTo('timedOut', this.#matcher.matchOf(over), this.#endOf(over));
        if (output.full) return false;
      }
      // Predicates may be slow, and a key may have many matches.
      if (output.full && this.#time > -Infinity) return false;
      const next = Math.min(waiting.nextTimestamp, this.#watermark);
      if (this.#time < next) {
        this.#time = next;
        this.#matcher.advanceTime(progress, next);
      } else if (waiting.size > 0 && waiting.nextTimestamp <= this.#watermark) {
        this.#element = waiting.take();
        this.#matcher.process(progress, this.#element, next);
        this.#noteAlarm(entry, next);
      } else return true;
    }
  }
  /**
   * A match that the end of the input completes has no time of its own. Its timestamp is the end of
   * its window.
   */
  #timestampOf(match: PartialMatch): number {
    return this.#time === Infinity ? this.#endOf(match) : this.#time;
  }
  #endOf({ startTimestamp }: PartialMatch): number {
    return startTimestamp + this.#matcher.withinMillis;
  }
  #finish(entry: Entry): void {
    this.#entry = undefined;
    entry.progress.hasBegun = false;
    const live = this.#liveOf(entry);
    this.#live += live;
    if (live === 0) this.#forget(entry);
    else this.#schedule(entry);
  }
  #forget(entry: Entry): void {
    this.#wakeUps.forget(entry);
    this.#entries.delete(entry.tuple);
    this.#table.delete(entry);
  }
  /** The input has ended: nothing can complete the remaining matches or time them out. */
  #forgetAll(): void {
    this.#entries.forEach((entry) => this.#forget(entry));
    this.#live = 0;
  }

  // ------------------------------------------------------------------------------------- waking up

  #schedule(entry: Entry): void {
    this.#wakeUps.forElement(entry, entry.waiting.nextTimestamp);
    this.#wakeUps.forTimeout(entry, this.#nextTimeout(entry));
  }
  /**
   * When the first match times out. Flink sets a timer for this when a match begins, but not for a
   * match that begins at time 0 or before. Such a match times out with the key's next element, or
   * with the timer of a later match. So those timers are kept as long as the match lives.
   */
  #nextTimeout(entry: Entry): number {
    const { partial } = entry.progress;
    if (partial.size === 1) return Infinity;
    const { startTimestamp } = partial.first!;
    if (startTimestamp > 0) return this.#endOf(partial.first!);
    entry.alarms = entry.alarms.filter((alarm) => alarm > this.#watermark);
    return entry.alarms[0] ?? Infinity;
  }
  #noteAlarm(entry: Entry, timestamp: number): void {
    const { partial, hasBegun } = entry.progress;
    if (this.#matcher.withinMillis === Infinity) return;
    if (partial.size === 1 || partial.first!.startTimestamp > 0) entry.alarms = [];
    else if (hasBegun) entry.alarms.push(timestamp + this.#matcher.withinMillis);
  }

  // ----------------------------------------------------------------------------------------- state

  #liveOf({ waiting, progress }: Entry): number {
    return waiting.size + this.#matcher.sizeOf(progress);
  }
  get #form(): EntryForm<Entry> {
    const keys = this.#keys;
    return {
      schema: { ...(keys.fields && { key: keys.fields }), columns: ['waiting', 'progress', 'alarms'] },
      tupleOf: ({ tuple }) => tuple,
      labelOf: ({ row }) => labelOf(row, keys),
      contentOf: ({ waiting, progress, alarms }) => [waiting.columns(), contentOf(progress), alarms],
    };
  }
  snapshot(writer: StateWriter): void {
    this.#table.write(writer, this.#form, (visit) => this.#entries.forEach((entry) => visit(entry)));
    writer.minimum(this.#watermark);
  }
  restore(reader: StateReader): void {
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#table.read(reader, this.#form.schema, this.#context.name, ({ tuple, content, label }) => {
      const [waiting, progress, alarms] = content as Content;
      const entry = newEntry(rowOf(tuple, label, this.#keys), tuple, progressOf(progress, this.#matcher));
      waiting.elements.forEach((element, at) => entry.waiting.add(element, waiting.timestamps[at]!));
      entry.alarms = alarms;
      this.#live += this.#liveOf(entry);
      this.#entries.set(tuple, entry);
      this.#schedule(entry);
    });
  }
  status(): OperatorStatus {
    return { entries: this.#live };
  }
}

function newEntry(row: KeyRow, tuple: readonly unknown[], progress: Progress): Entry {
  return {
    row,
    tuple,
    written: 0,
    savedBytes: 0,
    touched: 0,
    elementAt: Infinity,
    timeoutAt: Infinity,
    waiting: new TimeOrder(),
    progress,
    alarms: [],
  };
}

/** A predicate that may be wrong: what it gives decides, unless it is a Promise. */
function answering(predicate: Predicate, verb: string): Predicate {
  return (element, matched) => isTrue(predicate(element, matched), `The function of ${verb}`);
}

export function pattern({ uid, parameters }: NodeOf<'pattern'>, functions: FunctionTable, key: KeySpec): Operator {
  const { stages, withinMillis, skip, select } = parameters;
  const withFunctions = stages.map(({ until, ...stage }): Stage<Predicate> => ({
    ...stage,
    where: stage.where.map((predicate) => answering(functions.get<Predicate>(predicate), 'where')),
    ...(until && { until: answering(functions.get<Predicate>(until), 'until') }),
  }));
  const spec = { stages: withFunctions, skip, ...(withinMillis !== undefined && { withinMillis }) };
  return new PatternOperator(compileKeys(key, functions, uid), spec, functions.get(select));
}

/** A record for an error message: its fields, in at most one line. */
function recordText(element: unknown): string {
  const text =
    JSON.stringify(element, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ??
    String(element);
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}
