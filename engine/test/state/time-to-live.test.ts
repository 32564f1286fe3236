// Lists and maps with a time to live, against a plain model. An entry that was written or read at t
// is gone at t + ttl, after any other operations and restores in between.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { listState, mapState, type Stream, valueState } from '../../index.ts';
import { harness } from '../../testing/index.ts';

const ttlMillis = 100;
/** Keys 0 to 3 come again and again. More keys make a map large. */
const manyKeys = Array.from({ length: 40 }, (_, at) => 2 * at);
type Refresh = 'write' | 'read-write';
type Op =
  | { readonly op: 'add' | 'put' | 'set'; readonly k: string; readonly v: number }
  | { readonly op: 'replace'; readonly k: string; readonly values: readonly number[] }
  | { readonly op: 'fill' | 'list' | 'entries' | 'value' | 'clear' | 'restore' | 'barrier'; readonly k: string }
  | { readonly op: 'get' | 'has' | 'delete'; readonly k: string; readonly v: number }
  | { readonly op: 'pass'; readonly millis: number };

/** Emits the requested entries as a row. */
const build = (refresh: Refresh) => (ops: Stream<Op>) =>
  ops
    .keyBy((op) => ('k' in op ? op.k : ''))
    .process({
      state: {
        list: listState<number>({ ttl: '100ms', refresh }),
        map: mapState<number, number>({ ttl: '100ms', refresh }),
        value: valueState<number>({ ttl: '100ms', refresh }),
      },
      *onElement(op, { state }): Generator<unknown, void> {
        switch (op.op) {
          case 'add':
            return state.list.add(op.v);
          case 'put':
            return state.map.set(op.v % 4, op.v);
          case 'fill':
            for (const key of manyKeys) state.map.set(key, key);
            return;
          case 'set':
            return state.value.set(op.v);
          case 'replace':
            return state.list.set(op.values);
          case 'delete':
            return state.map.delete(op.v % 4);
          case 'clear':
            state.list.clear();
            state.map.clear();
            return state.value.clear();
          case 'list':
            yield [...state.list];
            return;
          case 'entries':
            yield [...state.map];
            return;
          case 'value':
            yield state.value.get() ?? 'none';
            return;
          case 'get':
            yield state.map.get(op.v % 4) ?? 'none';
            return;
          case 'has':
            yield state.map.has(op.v % 4);
            return;
          case 'pass':
          case 'restore':
          case 'barrier':
            assert.fail('not for the operator');
        }
      },
    });

interface Item {
  readonly key?: number;
  v: number;
  at: number;
}
/** The states of all keys, kept as plainly as can be. */
class Model {
  now = 0;
  readonly #isRenewedByReading: boolean;
  readonly #lists = new Map<string, Item[]>();
  readonly #maps = new Map<string, Item[]>();
  readonly #values = new Map<string, Item[]>();
  constructor(refresh: Refresh) {
    this.#isRenewedByReading = refresh === 'read-write';
  }
  #alive(items: Map<string, Item[]>, k: string): Item[] {
    const alive = (items.get(k) ?? []).filter(({ at }) => at + ttlMillis > this.now);
    items.set(k, alive);
    return alive;
  }
  #read(items: Item[]): Item[] {
    if (this.#isRenewedByReading) for (const item of items) item.at = this.now;
    return items;
  }
  step(op: Op): unknown {
    if (op.op === 'pass') return void (this.now += op.millis);
    const { now } = this;
    const list = this.#alive(this.#lists, op.k);
    const map = this.#alive(this.#maps, op.k);
    const value = this.#alive(this.#values, op.k);
    const withKey = (key: number) => map.filter((item) => item.key === key);
    const put = (key: number, v: number): void => {
      const [item] = withKey(key);
      if (item) Object.assign(item, { v, at: now });
      else map.push({ key, v, at: now });
    };
    switch (op.op) {
      case 'add':
        return void list.push({ v: op.v, at: now });
      case 'replace':
        return void this.#lists.set(
          op.k,
          op.values.map((v) => ({ v, at: now })),
        );
      case 'put':
        return put(op.v % 4, op.v);
      case 'fill':
        return manyKeys.forEach((key) => put(key, key));
      case 'set':
        return void this.#values.set(op.k, [{ v: op.v, at: now }]);
      case 'delete':
        return void this.#maps.set(
          op.k,
          map.filter(({ key }) => key !== op.v % 4),
        );
      case 'clear':
        for (const items of [this.#lists, this.#maps, this.#values]) items.delete(op.k);
        return undefined;
      case 'restore':
      case 'barrier':
        return undefined;
      case 'list':
        return this.#read(list).map(({ v }) => v);
      case 'entries':
        return this.#read(map).map(({ key, v }) => [key, v]);
      case 'value':
        return this.#read(value)[0]?.v ?? 'none';
      case 'get':
        return this.#read(withKey(op.v % 4))[0]?.v ?? 'none';
      case 'has':
        return this.#read(withKey(op.v % 4)).length > 0;
    }
  }
  /** States that hold something. */
  get entries(): number {
    return [this.#lists, this.#maps, this.#values]
      .flatMap((items) => [...items.keys()].map((k) => this.#alive(items, k).length))
      .filter((length) => length > 0).length;
  }
}

const k = fc.constantFrom('a', 'b');
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('add', 'put', 'set'), k, v: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('replace'), k, values: fc.array(fc.nat(9), { maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('list', 'entries', 'value'), k }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('clear', 'restore', 'barrier', 'fill'), k }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('get', 'has', 'delete'), k, v: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('pass'), millis: fc.integer({ min: 1, max: 70 }) }) },
);

for (const refresh of ['write', 'read-write'] as const)
  test(`states with refresh '${refresh}' hold exactly what the model holds`, () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        const model = new Model(refresh);
        let h = harness(build(refresh));
        for (const one of ops) {
          const expected = model.step(one);
          if (one.op === 'pass') h.advanceProcessingTime(model.now);
          else if (one.op === 'barrier') {
            h.snapshot();
            assert.equal(h.entries(), model.entries);
          } else if (one.op === 'restore') {
            const restore = h.snapshot();
            // A snapshot removes expired entries.
            assert.equal(h.entries(), model.entries);
            h.close();
            h = harness(build(refresh), { restore });
            h.advanceProcessingTime(model.now);
            assert.equal(h.entries(), model.entries);
          } else h.element(one);
          const rows = h.output().map((row) => 'element' in row && row.element);
          assert.deepEqual(rows, expected === undefined ? [] : [expected], JSON.stringify(one));
        }
        h.close();
      }),
      { numRuns: 150 },
    );
  });
