// What expires in `process` is found without a look at what does not. Counted in keys, not in time.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ListState, MapState, ValueState } from '../../api/surface.ts';
import { KeyedProcess } from '../../process/keyed-process.ts';
import { readSnapshot } from '../../runtime/snapshot.ts';
import { entriesOf } from '../../state/segment.ts';
import type { ListCell, SavedList } from '../../state/list-state.ts';
import type { MapCell, SavedMap } from '../../state/map-state.ts';
import { Driven, Program } from './drive.ts';

interface States {
  readonly long: ValueState<number>;
  readonly short: ValueState<number>;
  readonly list: ListState<number>;
  readonly map: MapState<number, number>;
}
interface Act {
  readonly key: number;
  readonly act: (states: States) => void;
}
const state = {
  long: { kind: 'value', ttlMillis: 1_000_000 },
  short: { kind: 'value', ttlMillis: 10 },
  list: { kind: 'list', ttlMillis: 10 },
  map: { kind: 'map', ttlMillis: 10 },
};
const programOf = (states: object): Program =>
  new Program(
    'process',
    { state: states, onElement: ({ act }: Act, context: { readonly state: States }) => act(context.state) },
    [{ fn: ({ key }: Act) => key }],
  );
const program = programOf(state);

class Process extends Driven {
  constructor(ofStates = program) {
    super(ofStates);
  }
  does(act: Act['act'], keys: readonly number[]): void {
    this.step({ records: keys.map((key) => [{ key, act }, 0] as const) });
  }
  get expiry(): { readonly looked: number; readonly size: number } {
    assert.ok(this.operator instanceof KeyedProcess && this.operator.expiry);
    return this.operator.expiry;
  }
  /** Keys that a barrier looks at. */
  lookedAt(): number {
    const before = this.expiry.looked;
    this.snapshot();
    return this.expiry.looked - before;
  }
  /** Items of lists and maps that the next barrier saves. */
  savedItems(): number {
    this.snapshot();
    const entries = [...this.saved.groups.values()].flatMap((chain) => entriesOf(chain));
    const states = entries.flatMap(({ content }) => Object.values(content[0] as Record<string, SavedList | SavedMap>));
    return states.reduce((sum, state) => sum + (state instanceof Map ? state.size : state.items.length), 0);
  }
  get savedKeys(): number {
    return [...this.saved.groups.values()].reduce((sum, chain) => sum + entriesOf(chain).length, 0);
  }
}
const keys = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

const shortWrites: Readonly<Record<string, Act['act']>> = {
  value: ({ short }) => short.set(1),
  list: ({ list }) => list.add(1),
  'a list that is set': ({ list }) => list.set([1, 2]),
  map: ({ map }) => map.set(1, 1),
};
for (const [kind, write] of Object.entries(shortWrites))
  test(`${kind}: a barrier looks at the keys that expire, and at none of the 20,000 others`, () => {
    const driven = new Process();
    driven.does(({ long }) => long.set(1), keys(20_000));
    driven.does(write, keys(100, 10_000));
    driven.does(write, keys(50, 50_000));
    driven.now = 9;
    assert.equal(driven.lookedAt(), 0);
    driven.now = 10;
    assert.equal(driven.lookedAt(), 150);
    assert.deepEqual([driven.entries, driven.savedKeys], [20_000, 20_000]);
    driven.now = 500_000;
    assert.equal(driven.lookedAt(), 0);

    // A restored state knows when it expires.
    driven.replace();
    assert.equal(driven.lookedAt(), 0);
    driven.now = 1_000_000;
    for (let barrier = 0; barrier < 3; barrier++) driven.snapshot();
    assert.deepEqual([driven.entries, driven.savedKeys], [0, 0]);
  });

test('a key that is written again and again is looked at once in each time to live', () => {
  const driven = new Process();
  let looked = 0;
  for (let now = 0; now < 1_000; now++) {
    driven.now = now;
    driven.does(({ short }) => short.set(now), [1]);
    looked += driven.lookedAt();
  }
  assert.ok(looked <= 100, `${looked} looks in 100 times to live`);
  assert.equal(driven.entries, 1);
  driven.now = 1_020;
  driven.snapshot();
  assert.deepEqual([driven.entries, driven.savedKeys], [0, 0]);
});

test('many keys that expire at one time are divided among records and barriers', () => {
  const driven = new Process();
  driven.does(({ short }) => short.set(1), keys(30_000));
  driven.snapshot();
  driven.now = 10;
  const before = driven.expiry.looked;
  driven.does(({ long }) => long.set(1), keys(100, 50_000));
  assert.equal(driven.expiry.looked - before, 200, 'two for each record');
  for (let left = 29_800; left > 0; left -= 8_192) assert.equal(driven.lookedAt(), Math.min(left, 8_192));
  assert.deepEqual([driven.entries, driven.savedKeys], [100, 100]);
});

test('keys that are removed, and values that are written earlier than known, leave nothing in the queue', () => {
  const driven = new Process();
  for (let round = 0; round < 1_000; round++) {
    driven.does(({ long }) => long.set(1), keys(10, 10 * round));
    driven.does(({ short }) => short.set(1), keys(10, 10 * round));
    driven.does(({ short, long }) => [short.clear(), long.clear()], keys(10, 10 * round));
  }
  assert.equal(driven.entries, 0);
  assert.equal(driven.expiry.size, 0);
  driven.does(({ long }) => long.set(1), keys(1_000));
  assert.equal(driven.expiry.size, 1_000);
  driven.does(({ long }) => long.clear(), keys(1_000));
  assert.equal(driven.expiry.size, 0);
});

test('what expires at several times is removed at each of them', () => {
  const driven = new Process();
  const gone: Act['act'][] = [({ short }) => short.set(1), ({ list }) => list.add(1), ({ map }) => map.set(1, 1)];
  gone.forEach((write, at) => {
    driven.now = 3 * at;
    driven.does(write, [1]);
    driven.does(({ map }) => map.set(at, at), [2]);
    driven.does(({ list }) => list.add(at), [3]);
  });
  const left = [10, 13, 16].map((now) => {
    driven.now = now;
    return [driven.lookedAt(), driven.entries];
  });
  assert.deepEqual(left, [
    [3, 4],
    [3, 3],
    [3, 0],
  ]);
});

test('a time to live that an edit has made shorter counts for new items, beside older ones that live longer', () => {
  const former = new Process(programOf({ ...state, list: { kind: 'list', ttlMillis: 1_000 } }));
  former.does(({ list }) => list.add(1), [1]);
  former.snapshot();
  const driven = new Process();
  driven.operator.restore!(readSnapshot(former.saved));
  driven.does(({ list }) => list.add(2), [1]);
  driven.now = 10;
  assert.deepEqual([driven.lookedAt(), driven.entries], [1, 1]);
  driven.now = 1_000;
  assert.deepEqual([driven.lookedAt(), driven.entries], [1, 0]);
});

/** Counts each time that is read of a list's items, or of a map's entries. */
class Visits {
  count = 0;
  constructor({ operator }: Driven) {
    assert.ok(operator instanceof KeyedProcess);
    for (const cell of operator.current.values as (Partial<ListCell & MapCell> | undefined)[]) {
      if (cell?.expiresAt) cell.expiresAt = this.#countedItems(cell.expiresAt);
      for (const entry of cell?.entries?.values() ?? []) this.#count(entry);
    }
  }
  #countedItems(times: number[]): number[] {
    const get = (target: number[], name: string | symbol): unknown => {
      const found: unknown = Reflect.get(target, name);
      if (typeof name === 'string' && /^[0-9]+$/.test(name)) this.count++;
      // What is left of it is counted too.
      return name === 'slice' ? (from: number) => this.#countedItems(this.#copied(target, from)) : found;
    };
    return new Proxy(times, { get });
  }
  #copied(times: number[], from: number): number[] {
    const copy = times.slice(from);
    this.count += copy.length;
    return copy;
  }
  #count(entry: object): void {
    let { expiresAt } = entry as { expiresAt: number };
    Object.defineProperty(entry, 'expiresAt', {
      get: () => {
        this.count++;
        return expiresAt;
      },
      set: (at: number) => (expiresAt = at),
    });
  }
}

const many = 20_000;
const lasting = { list: { kind: 'list', ttlMillis: many }, map: { kind: 'map', ttlMillis: many } };
const shown = (driven: Process, kind: 'list' | 'map', key: number): number => {
  let items: unknown[] = [];
  driven.does(({ [kind]: state }) => (items = [...state]), [key]);
  return items.length;
};
for (const kind of ['list', 'map'] as const)
  test(`${kind}: an expiry costs as much as what expires, however much the key holds`, () => {
    const driven = new Process(programOf({ [kind]: lasting[kind] }));
    for (driven.now = 0; driven.now < many; driven.now++)
      driven.does(({ list, map }) => (kind === 'list' ? list.add(1) : map.set(driven.now, 1)), [1]);
    const visits = new Visits(driven);
    // One item expires each millisecond. A list copies what is left when half of it has expired.
    let expired = 0;
    for (; driven.now < many + (3 * many) / 4; driven.now++) {
      driven.does(() => undefined, [2]);
      expired++;
    }
    assert.ok(visits.count >= expired, `${visits.count} visits for ${expired} items`);
    assert.ok(visits.count <= 6 * expired, `${visits.count} visits for ${expired} items`);
    driven.now--;
    assert.equal(shown(driven, kind, 1), many - expired);
  });

for (const kind of ['list', 'map'] as const)
  test(`${kind}: the items of one key that expire at one time are divided among records and barriers`, () => {
    const driven = new Process();
    driven.does(
      ({ list, map }) => (kind === 'list' ? list.set(keys(30_000)) : keys(30_000).forEach((key) => map.set(key, 1))),
      [1],
    );
    // Nothing has expired when the writes pay for their looks.
    driven.does(() => undefined, [2]);
    driven.now = 10;
    driven.does(() => undefined, keys(100, 10));
    const left = Array.from({ length: 5 }, () => driven.savedItems());
    assert.deepEqual(left, [21_608, 13_416, 5_224, 0, 0], '200 for 100 records, then 8,192 for each barrier');
    assert.equal(driven.entries, 0);
  });

for (const kind of ['list', 'map'] as const)
  test(`${kind}: however many items a record writes, what expires keeps up with what is written`, () => {
    const driven = new Process(programOf({ [kind]: { kind, ttlMillis: 10 } }));
    for (driven.now = 0; driven.now < 200; driven.now++)
      driven.does(
        ({ list, map }) => {
          for (let item = 0; item < 100; item++)
            if (kind === 'list') list.add(1);
            else map.set(100 * driven.now + item, 1);
        },
        [1],
      );
    driven.snapshot();
    assert.ok(driven.savedItems() <= 2_000, `${driven.savedItems()} items`);
  });

test('what an edit has given a shorter time to live does not pile up behind what lives longer', () => {
  const former = new Process(programOf({ list: { kind: 'list', ttlMillis: 1_000_000 } }));
  former.does(({ list }) => list.add(1), [1]);
  former.snapshot();
  const driven = new Process(programOf({ list: { kind: 'list', ttlMillis: 10 } }));
  driven.operator.restore!(readSnapshot(former.saved));
  for (driven.now = 0; driven.now < 10_000; driven.now++) driven.does(({ list }) => list.add(driven.now), [1]);
  assert.ok(driven.savedItems() <= 200, `${driven.savedItems()} items`);
  assert.equal(shown(driven, 'list', 1), 10);
  // Again after a restore, which finds the order as it is.
  driven.snapshot();
  driven.replace();
  for (; driven.now < 20_000; driven.now++) driven.does(({ list }) => list.add(driven.now), [1]);
  assert.ok(driven.savedItems() <= 200, `${driven.savedItems()} items`);
  assert.equal(shown(driven, 'list', 1), 10);
});
