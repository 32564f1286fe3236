// A restore reads at most twice the bytes that it needs, however unequal the entries are.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  joinedSnapshots,
  mergeSnapshots,
  readSnapshot,
  type SnapshotInFlight,
  SnapshotWriter,
  type TaskSnapshot,
} from '../../runtime/snapshot.ts';
import type { Keyed, Namespace, SavedGroup } from '../../state/keyed.ts';
import { keyGroupOf } from '../../state/key-group.ts';
import { bytesOf, compacted, garbageOf } from '../../state/segment.ts';
import { StateTable } from '../../state/state-table.ts';

interface Entry extends Keyed {
  readonly key: string;
  /** Its length is the size of the entry. */
  text: string;
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
type Owner = Window | undefined;

/** An operator with entries of any size. All of them are in windows, or they go one by one. */
class Texts {
  readonly table = new StateTable<Entry, Window>();
  readonly plain = new Map<string, Entry>();
  readonly windows = new Map<number, Window>();
  known: TaskSnapshot | undefined;
  /** Bytes that merging has written again. */
  rewritten = 0;

  set(key: string, size: number, start?: number): void {
    const owner = start === undefined ? undefined : this.#window(start);
    const entries = owner?.entries ?? this.plain;
    const entry = entries.get(key);
    const text = 'x'.repeat(size);
    if (entry) {
      this.table.touch(entry, owner);
      entry.text = text;
      return;
    }
    const added: Entry = { row: {}, written: 0, savedBytes: 0, touched: 0, key, text };
    entries.set(key, added);
    this.table.add(added, owner);
  }
  #window(start: number): Window {
    let window = this.windows.get(start);
    if (!window) this.windows.set(start, (window = new Window(start)));
    return window;
  }
  delete(key: string): void {
    const entry = this.plain.get(key);
    if (!entry) return;
    this.plain.delete(key);
    this.table.delete(entry);
  }
  drop(start: number): void {
    const window = this.windows.get(start);
    if (!window) return;
    this.windows.delete(start);
    this.table.drop(window);
  }
  begin(full: boolean): SnapshotInFlight {
    const writer = new SnapshotWriter(full);
    const form = {
      schema: { columns: ['text'] },
      tupleOf: ({ key }: Entry) => [key],
      contentOf: ({ text }: Entry) => [text],
    };
    this.table.write(writer, form, (visit) => this.#each(visit));
    return writer.begun(0);
  }
  #each(visit: (entry: Entry, owner?: Window) => void): void {
    for (const entry of this.plain.values()) visit(entry);
    for (const window of this.windows.values()) for (const entry of window.entries.values()) visit(entry, window);
  }
  keep(snapshot: TaskSnapshot): void {
    this.known = mergeSnapshots(this.known, snapshot);
    const given = new Set([...snapshot.groups.values()].flat());
    for (const chain of this.known.groups.values())
      if (chain.length === 1 && !given.has(chain[0]!) && !this.#former.has(chain[0]!)) this.rewritten += bytesOf(chain);
    this.#former = new Set([...this.known.groups.values()].flat());
  }
  #former = new Set<Uint8Array>();
  snapshot(): void {
    this.keep(this.begin(false).finished());
  }
  get content(): string[] {
    const found: string[] = [];
    this.#each((entry, owner: Owner) => found.push(`${owner?.start} ${entry.key} ${entry.text.length}`));
    return found.sort();
  }
  get savedContent(): string[] {
    return [...readSnapshot(this.known!).entries()]
      .map(({ namespace, tuple, content }) => `${namespace} ${String(tuple[0])} ${(content[0] as string).length}`)
      .sort();
  }
}

function assertAtMostTwice({ groups, garbage }: TaskSnapshot): void {
  for (const [group, chain] of groups) {
    const all = bytesOf(chain);
    const small = compacted(chain);
    assert.ok(all <= 2 * (small?.length ?? 20), `group ${group}: ${all} bytes for ${small?.length}`);
    const known = Math.round(garbageOf(chain, garbage?.get(group) ?? 0) * all);
    assert.equal(known, all - (small?.length ?? 20), `group ${group}: what is known of its garbage is exact`);
  }
}

const size = fc.oneof(fc.nat(20), fc.nat(300), fc.integer({ min: 2_000, max: 9_000 }));
/** Two keys of one key group, and others. */
const key = fc.constantFrom('a', 'b', 'c', 'd', ...twins());
function twins(): readonly string[] {
  const group = keyGroupOf(['a']);
  const names = Array.from({ length: 2_000 }, (_, n) => `k${n}`);
  return names.filter((name) => keyGroupOf([name]) === group).slice(0, 4);
}
const start = fc.nat(2);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ set: key, size, start }) },
  { weight: 2, arbitrary: fc.record({ remove: key, start }) },
  { weight: 4, arbitrary: fc.record({ barrier: fc.constantFrom('whole', 'given up', 'kept', 'kept', 'kept') }) },
  { weight: 1, arbitrary: fc.constant('slice' as const) },
);

test.each(['in windows', 'one by one'])(
  'law: unequal entries %s: a chain has at most twice the bytes that it needs',
  (where) => {
    const isWindowed = where === 'in windows';
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }), (steps) => {
        const operator = new Texts();
        /** Parts of snapshots that were given up go with the next one. */
        let unreported: TaskSnapshot[] = [];
        let inFlight:
          { readonly begun: SnapshotInFlight; readonly content: string[]; readonly isKept: boolean } | undefined;
        const end = (): void => {
          if (!inFlight) return;
          const { begun, content, isKept } = inFlight;
          inFlight = undefined;
          unreported.push(begun.finished());
          if (!isKept) return;
          operator.keep(joinedSnapshots(unreported));
          unreported = [];
          assert.deepEqual(operator.savedContent, content);
          assertAtMostTwice(operator.known!);
        };
        for (const one of [...steps, { barrier: 'kept' as const }]) {
          if (one === 'slice') inFlight?.begun.proceed(() => true);
          else if ('barrier' in one) {
            const begun = operator.begin(one.barrier === 'whole');
            end();
            inFlight = { begun, content: operator.content, isKept: one.barrier !== 'given up' };
          } else if ('set' in one) operator.set(one.set, one.size, isWindowed ? one.start : undefined);
          else if (isWindowed) operator.drop(one.start);
          else operator.delete(one.remove);
        }
        end();
      }),
      { numRuns: 300 },
    );
  },
);

test('a large entry that becomes small leaves its bytes at once', () => {
  const operator = new Texts();
  for (let n = 0; n < 2_000; n++) operator.set(`k${n}`, 10);
  operator.set('large', 1_000_000);
  operator.snapshot();
  operator.set('large', 10);
  operator.snapshot();
  const chain = operator.known!.groups.get(keyGroupOf(['large']))!;
  assert.ok(bytesOf(chain) < 5_000, `${bytesOf(chain)} bytes`);
  assert.deepEqual(operator.savedContent, operator.content);
});

test('changes of small entries do not write the large ones beside them again', () => {
  const operator = new Texts();
  for (let n = 0; n < 2_000; n++) operator.set(`k${n}`, 10);
  for (let n = 0; n < 300; n++) operator.set(`large ${n}`, 20_000);
  operator.snapshot();
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < 2_000; n += 10) operator.set(`k${n}`, round % 20);
    operator.snapshot();
    assertAtMostTwice(operator.known!);
  }
  // 10,000 changes of about 30 bytes beside 6 MB.
  assert.ok(operator.rewritten < 1_000_000, `${operator.rewritten} bytes were written again`);
});
