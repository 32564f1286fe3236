// iterateDelta: updates a table in rounds; each round processes only the workset that the round
// before has made. Flink's delta iteration; the loop runs inside the operator.
//
//   table change ─► a row of the result, at once (it replaces the row that the rounds have made)
//   workset element ─► waits until the combined watermark has reached its time.
//                      Then, with all other elements whose time has come:
//
//      round 1: step(element, its row) for each ─► rows change, `next` is the workset of round 2
//      … until a workset is empty, or after maxRounds
//
// Later steps of a round see the rows that earlier steps of it have changed. After the last round,
// the operator emits one change per touched row, so no incomplete round is visible. The rounds of
// one watermark are one call of `advance`, repeated while its time budget is used up; a barrier
// waits until it is done.
//
// If both inputs are bounded, the rounds start only after both have ended: then the table is
// complete, and the result is that of a batch.
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { KeyMap } from '../state/key-map.ts';
import { described } from '../values/kind.ts';
import { refusePromise } from '../values/promise.ts';
import { assertStorable } from '../values/storable.ts';
import { type Change, frozen, rowOfUser } from './change.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { tupleOfKey } from '../state/table-key.ts';
import { type TableEntry, tableEntry, TableRows } from './table-rows.ts';

type Step = (changed: unknown, current: unknown) => unknown;
interface Entry extends TableEntry {
  value: unknown;
  time: number;
}
/** The rounds of one watermark. */
interface Rounds {
  round: number;
  workset: unknown[];
  at: number;
  next: unknown[];
  /** The rest of the current step's `next`, which may be endless. */
  iterator: Iterator<unknown> | undefined;
  /** In the order of the first change. */
  readonly touched: Touched[];
  readonly touchedByKey: KeyMap<Touched>;
  readonly timestamp: number;
  /** Number of `touched` rows whose change has been emitted. */
  reported: number;
}
interface Waiting {
  readonly time: number;
  readonly element: unknown;
}
interface Touched {
  readonly tuple: readonly unknown[];
  /** The row before the rounds. */
  readonly old: unknown;
}

const columns = ['row', 'time'];

export function iterateDelta(node: NodeOf<'iterateDelta'>, functions: FunctionTable): Operator {
  const { key, step, keyFields, maxRounds, isBatch } = node.parameters;
  const keyOf = functions.get<(element: unknown) => unknown>(key);
  const tupleOf = (element: unknown): readonly unknown[] =>
    tupleOfKey(keyOf(element), keyFields, `"${node.name}" (key of iterateDelta())`);
  return new IterateDeltaOperator(tupleOf, functions.get<Step>(step), maxRounds ?? Infinity, isBatch);
}

class IterateDeltaOperator implements Operator {
  at = 0;
  readonly #tupleOf: (element: unknown) => readonly unknown[];
  readonly #step: Step;
  readonly #maxRounds: number;
  readonly #isBatch: boolean;
  readonly #rows = new TableRows<Entry>();
  /** Workset elements that wait for the watermark. */
  #waiting: Waiting[] = [];
  #rounds: Rounds | undefined;
  #watermark = -Infinity;
  #context!: OperatorContext;

  constructor(tupleOf: (element: unknown) => readonly unknown[], step: Step, maxRounds: number, isBatch: boolean) {
    this.#tupleOf = tupleOf;
    this.#step = step;
    this.#maxRounds = maxRounds;
    this.#isBatch = isBatch;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  get working(): string | undefined {
    const { workset, at, round } = this.#rounds ?? {};
    return workset && at! < workset.length ? `round ${round}, workset element ${described(workset[at!])}` : undefined;
  }

  process(input: 0 | 1, batch: Batch, from: number): number {
    const { output, freeze, name } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      const time = batch.timestamps[i]!;
      if (input === 1) {
        assertStorable(batch.values[i], `A workset element of "${name}"`);
        this.#waiting.push({ time, element: batch.values[i] });
        continue;
      }
      const { key, row } = batch.values[i] as Change;
      if (row !== undefined) assertStorable(row, `A row of table "${name}"`);
      const entry = this.#rows.get(key);
      const old = entry?.value;
      this.#put(entry ?? tableEntry(key, { value: undefined, time }), row, time);
      output.emit({ key, row, old } satisfies Change, time);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  #put(entry: Entry, row: unknown, time: number): void {
    const isNew = entry.value === undefined;
    if (row === undefined) return this.#rows.delete(entry);
    if (!isNew) this.#rows.touch(entry);
    entry.value = row;
    entry.time = time;
    if (isNew) this.#rows.add(entry);
  }

  advance(watermark: number): boolean {
    if (!this.#rounds) {
      if (watermark <= this.#watermark) return true;
      this.#watermark = watermark;
      this.#rounds = this.#begin(watermark);
      if (!this.#rounds) return true;
    }
    if (!this.#turn(this.#rounds) || !this.#report(this.#rounds)) return false;
    this.#rounds = undefined;
    return true;
  }
  #begin(watermark: number): Rounds | undefined {
    if (this.#isBatch && watermark < Infinity) return undefined;
    const ready = this.#waiting.filter(({ time }) => time <= watermark);
    if (ready.length === 0) return undefined;
    this.#waiting = this.#waiting.filter(({ time }) => time > watermark);
    const workset = ready.map(({ element }) => element);
    const timestamp = ready.reduce((latest, { time }) => Math.max(latest, time), -Infinity);
    return {
      ...{ round: 1, workset, at: 0, next: [], iterator: undefined },
      ...{ touched: [], touchedByKey: new KeyMap<Touched>(), timestamp, reported: 0 },
    };
  }

  /** Runs rounds until a workset is empty; false: the time budget of the call is used up. */
  #turn(rounds: Rounds): boolean {
    const { output } = this.#context;
    while (rounds.workset.length > 0) {
      while (rounds.at < rounds.workset.length) {
        if (!rounds.iterator) this.#visit(rounds, rounds.workset[rounds.at]);
        if (!this.#drain(rounds)) return false;
        rounds.at++;
        if (output.full) return false;
      }
      rounds.workset = rounds.round < this.#maxRounds ? rounds.next : [];
      rounds.next = [];
      rounds.at = 0;
      rounds.round++;
    }
    return true;
  }
  #visit(rounds: Rounds, element: unknown): void {
    const { name, freeze } = this.#context;
    const tuple = this.#tupleOf(element);
    const known = this.#rows.get(tuple);
    const result = this.#step(element, known?.value);
    if (result === undefined || result === null) return;
    refusePromise(result, `The step of "${name}"`);
    if (typeof result !== 'object')
      throw new SluiceError(
        'bad-step',
        `The step of "${name}" gave ${described(result)}. It must return { row, next } or nothing.`,
      );
    const { row: given, next } = result as { readonly row?: unknown; readonly next?: Iterable<unknown> };
    // null deletes; undefined leaves the row as it is.
    if (given !== undefined) {
      const row = frozen(rowOfUser(given, `The step of "${name}"`), freeze);
      assertStorable(row, `A row of "${name}"`);
      this.#touch(rounds, tuple, known?.value);
      const time = rounds.timestamp;
      this.#put(known ?? tableEntry(tuple, { value: undefined, time }), row, time);
    }
    if (next === undefined) return;
    refusePromise(next, `The step of "${name}"`);
    if (next === null || typeof next !== 'object' || typeof next[Symbol.iterator] !== 'function')
      throw new SluiceError(
        'not-iterable',
        `The next of a step of "${name}" is ${described(next)}. It must be an iterable of workset elements.`,
      );
    rounds.iterator = next[Symbol.iterator]();
  }
  #touch(rounds: Rounds, tuple: readonly unknown[], old: unknown): void {
    if (rounds.touchedByKey.get(tuple)) return;
    const touched = { tuple, old };
    rounds.touchedByKey.set(tuple, touched);
    rounds.touched.push(touched);
  }
  #drain(rounds: Rounds): boolean {
    const { output, freeze, name } = this.#context;
    while (rounds.iterator) {
      const step = rounds.iterator.next();
      if (step.done) rounds.iterator = undefined;
      else {
        if (typeof step.value === 'object') refusePromise(step.value, `The step of "${name}"`);
        rounds.next.push(frozen(step.value, freeze));
      }
      if (output.full && rounds.iterator) return false;
    }
    return true;
  }

  /** Emits the changes of the rounds; false: there is no room for more. */
  #report(rounds: Rounds): boolean {
    const { output } = this.#context;
    while (rounds.reported < rounds.touched.length) {
      const { tuple, old } = rounds.touched[rounds.reported++]!;
      const row = this.#rows.get(tuple)?.value;
      if (row === old) continue;
      output.emit({ key: tuple, row, old } satisfies Change, rounds.timestamp);
      if (output.full && rounds.reported < rounds.touched.length) return false;
    }
    return true;
  }

  /** The current row of a key. */
  lookup(tuple: readonly unknown[]): unknown {
    return this.#rows.get(tuple)?.value;
  }
  eachRow(visit: (key: readonly unknown[], row: unknown, time: number) => void): void {
    this.#rows.forEach(({ tuple, value, time }) => visit(tuple, value, time));
  }
  snapshot(writer: StateWriter): void {
    this.#rows.snapshot(writer, columns, ({ value, time }) => [value, time]);
    writer.minimum(this.#watermark);
    writer.orderedList([...this.#waiting]);
  }
  restore(reader: StateReader): void {
    this.#watermark = reader.minimum() ?? -Infinity;
    this.#waiting = [...((reader.list() as readonly Waiting[] | undefined) ?? [])];
    this.#rows.restore(reader, columns, this.#context.name, (tuple, [value, time]) =>
      tableEntry(tuple, { value, time: time as number }),
    );
  }
  /** Number of rows and of waiting workset elements. */
  status(): OperatorStatus {
    return { entries: this.#rows.size + this.#waiting.length };
  }
  close(): void {
    this.#rounds?.iterator?.return?.();
  }
}
