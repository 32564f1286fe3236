// The state table: what a snapshot writes is what has changed, and no entry is looked at for it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { SavedEntry } from '../../contract/operator.ts';
import {
  mergeSnapshots,
  readSnapshot,
  type SnapshotInFlight,
  SnapshotWriter,
  type TaskSnapshot,
} from '../../runtime/snapshot.ts';
import { bytesOf } from '../../state/segment.ts';
import type { Keyed, Namespace, SavedGroup } from '../../state/keyed.ts';
import { StateTable } from '../../state/state-table.ts';
import { Driven, Program } from '../operators/drive.ts';

const bytesIn = ({ groups }: TaskSnapshot): number =>
  [...groups.values()].reduce((sum, chain) => sum + bytesOf(chain), 0);

interface Entry extends Keyed {
  readonly key: string;
  value: number;
}
class Window implements Namespace {
  readonly start: number;
  savedGroups: Map<number, SavedGroup> | undefined;
  droppedAt = 0;
  readonly entries = new Map<string, Entry>();
  constructor(start: number) {
    this.start = start;
  }
}
/** An operator with windows, and how often a snapshot looked at an entry. */
class Windows {
  readonly table = new StateTable<Entry, Window>();
  windows = new Map<number, Window>();
  looks = 0;
  known: TaskSnapshot | undefined;

  add(start: number, key: string, value: number): void {
    let window = this.windows.get(start);
    if (!window) this.windows.set(start, (window = new Window(start)));
    const entry = window.entries.get(key);
    if (entry) {
      this.table.touch(entry, window);
      entry.value += value;
      return;
    }
    const added = { row: {}, written: 0, savedBytes: 0, touched: 0, key, value };
    window.entries.set(key, added);
    this.table.add(added, window);
  }
  drop(start: number): void {
    const window = this.windows.get(start);
    if (!window) return;
    this.windows.delete(start);
    this.table.drop(window);
  }
  /** Takes the barrier. The entries are still to be written. */
  begin(full = false): SnapshotInFlight {
    const writer = new SnapshotWriter(full);
    this.table.write(
      writer,
      {
        schema: { namespace: 'start', columns: ['value'] },
        tupleOf: ({ key }) => [key],
        contentOf: ({ value }) => (this.looks++, [value]),
      },
      (visit) => this.windows.forEach((window) => window.entries.forEach((entry) => visit(entry, window))),
    );
    return writer.begun(0);
  }
  keep(written: TaskSnapshot): TaskSnapshot {
    this.known = mergeSnapshots(this.known, written);
    return written;
  }
  snapshot(full = false): TaskSnapshot {
    return this.keep(this.begin(full).finished());
  }
  get content(): string[] {
    return [...this.windows.values()]
      .flatMap(({ start, entries }) => [...entries].map(([key, { value }]) => `${start} ${key} ${value}`))
      .sort();
  }
  get savedContent(): string[] {
    const text = ({ namespace, tuple, content }: SavedEntry) =>
      `${namespace} ${tuple[0] as string} ${content[0] as number}`;
    return [...readSnapshot(this.known!).entries()].map(text).sort();
  }
}

test('law: after each snapshot, what is saved is what the operator holds, windows that came and went included', () => {
  const step = fc.oneof(
    fc.record({ start: fc.integer({ min: 0, max: 3 }), key: fc.constantFrom('a', 'b', 'c'), value: fc.integer() }),
    fc.record({ drop: fc.integer({ min: 0, max: 3 }) }),
    fc.constant('snapshot' as const),
    fc.constant('whole snapshot' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const operator = new Windows();
      for (const one of [...steps, 'snapshot' as const]) {
        if (typeof one === 'string') {
          operator.snapshot(one === 'whole snapshot');
          assert.deepEqual(operator.savedContent, operator.content);
        } else if ('drop' in one) operator.drop(one.drop);
        else operator.add(one.start, one.key, one.value);
      }
    }),
  );
});

test('law: written in slices while the operator goes on, a snapshot is what was held at its barrier', () => {
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ start: fc.nat(2), key: fc.constantFrom(...keys), value: fc.integer() }) },
    fc.record({ all: fc.nat(2) }),
    fc.record({ drop: fc.nat(2) }),
    fc.record({ barrier: fc.boolean() }),
    { weight: 3, arbitrary: fc.constant('slice' as const) },
  );
  let early = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
      const operator = new Windows();
      let inFlight: { readonly snapshot: SnapshotInFlight; readonly content: string[] } | undefined;
      const end = (): void => {
        if (!inFlight) return;
        operator.keep(inFlight.snapshot.finished());
        assert.deepEqual(operator.savedContent, inFlight.content);
        inFlight = undefined;
      };
      for (const one of [...steps, { barrier: false }]) {
        if (one === 'slice') {
          if (inFlight?.snapshot.proceed(() => true)) end();
          continue;
        }
        if ('barrier' in one) {
          // The next barrier writes the rest of the snapshot before.
          const before = inFlight;
          const snapshot = operator.begin(one.barrier);
          const { content } = operator;
          if (before) {
            operator.keep(before.snapshot.finished());
            assert.deepEqual(operator.savedContent, before.content);
          }
          inFlight = { snapshot, content };
        } else if ('drop' in one) operator.drop(one.drop);
        else if ('all' in one) for (const key of keys) operator.add(one.all, key, 1);
        else operator.add(one.start, one.key, one.value);
        if (inFlight && !('barrier' in one)) early++;
      }
      end();
    }),
  );
  assert.ok(early > 100, 'the operator changes while a snapshot is being written');
});

describe('a snapshot looks only at what has changed', () => {
  test('and at nothing when nothing has', () => {
    const operator = new Windows();
    for (let n = 0; n < 1_000; n++) operator.add(0, `k${n}`, n);
    operator.snapshot();
    operator.looks = 0;
    assert.equal(bytesIn(operator.snapshot()), 0);
    operator.add(0, 'k7', 1);
    operator.add(0, 'k7', 1);
    operator.snapshot();
    assert.equal(operator.looks, 1);
  });
  test('and a window that came and went between two snapshots leaves no byte', () => {
    const operator = new Windows();
    operator.add(0, 'a', 1);
    operator.snapshot();
    operator.add(10, 'a', 1);
    operator.drop(10);
    assert.equal(bytesIn(operator.snapshot()), 0);
    operator.drop(0);
    assert.ok(bytesIn(operator.snapshot()) > 0);
    assert.deepEqual(operator.savedContent, []);
  });
  test('and windows that come and go while none comes are let go', () => {
    const operator = new Windows();
    operator.add(-1, 'a', 1);
    operator.snapshot();
    operator.looks = 0;
    for (let start = 0; start < 200_000; start++) {
      operator.add(start, 'a', 1);
      operator.drop(start);
      assert.ok(operator.table.noted <= 65_536);
    }
    operator.snapshot();
    assert.equal(operator.looks, 0);
    assert.deepEqual(operator.savedContent, ['-1 a 1']);
  });
});

/** Different numbers below 300,000, by a linear congruential generator. */
function atRandom(count: number): readonly number[] {
  const numbers = new Set<number>();
  for (let state = 596; numbers.size < count; numbers.add(Math.floor((state / 2 ** 32) * 300_000)))
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return [...numbers];
}
/** Which 1,000 of 300,000 keys change. */
const changes = {
  'spread evenly': Array.from({ length: 1_000 }, (_, n) => n * 300),
  'side by side': Array.from({ length: 1_000 }, (_, n) => 123_456 + n),
  'at random': atRandom(1_000),
};
for (const [where, changed] of Object.entries(changes))
  test(`1,000 changed of 300,000 keys, ${where}, write under 2 % of the bytes`, () => {
    const driven = new Driven(new Program('aggregate', { aggregates: { n: { name: 'count' } } }, [{ fields: ['k'] }]));
    for (let from = 0; from < 300_000; from += 10_000)
      driven.step({ records: Array.from({ length: 10_000 }, (_, n) => [{ k: `key-${from + n}` }, 0] as const) });
    driven.snapshot();
    const all = bytesIn(driven.saved);
    assert.ok(all > 300_000 * 20);
    driven.step({ records: changed.map((n) => [{ k: `key-${n}` }, 0] as const) });
    driven.snapshot();
    const more = bytesIn(driven.saved) - all;
    assert.ok(more > 0 && more < 0.02 * all, `${more} of ${all} bytes`);
    driven.snapshot();
    assert.equal(bytesIn(driven.saved) - all, more, 'an unchanged state writes nothing');
  });
