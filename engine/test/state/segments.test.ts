// Segments: chains of them say what a map says, compacted or not; broken ones are found.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'vitest';
import type { SavedEntry } from '../../contract/operator.ts';
import { keyGroupOf } from '../../state/key-group.ts';
import {
  type Chain,
  compacted,
  entriesOf,
  formatOf,
  SegmentWriter,
  segmentValue,
  valueSegment,
} from '../../state/segment.ts';
import { mergeSnapshots, type TaskSnapshot } from '../../runtime/snapshot.ts';

type Change =
  | { readonly kind: 'put'; readonly window: number; readonly key: string; readonly value: number }
  | { readonly kind: 'remove'; readonly window: number; readonly key: string }
  | { readonly kind: 'drop'; readonly window: number };

const window = fc.integer({ min: -1, max: 2 });
const key = fc.constantFrom('a', 'b', 'c', '');
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), window, key, value: fc.integer() }),
  fc.record({ kind: fc.constant('remove' as const), window, key }),
  fc.record({ kind: fc.constant('drop' as const), window }),
);

/** One snapshot: removals first, as the table writes them. */
function segmentsOf(changes: readonly Change[]): Map<number, Chain> {
  const writer = new SegmentWriter();
  const every = new Map(Array.from({ length: 128 }, (_, group) => [group, { entries: 1, bytes: 0 }]));
  for (const one of changes) {
    if (one.kind === 'remove') writer.remove(one.window, [one.key]);
    if (one.kind === 'drop') writer.drop(one.window, every);
  }
  for (const one of changes) if (one.kind === 'put') writer.put(one.window, [one.key], [one.value], undefined);
  return new Map([...writer.segments()].map(([group, segment]) => [group, [segment]]));
}
function apply(model: Map<string, number>, changes: readonly Change[]): void {
  for (const one of changes) {
    if (one.kind === 'remove') model.delete(`${one.window} ${one.key}`);
    if (one.kind !== 'drop') continue;
    for (const known of [...model.keys()]) if (known.startsWith(`${one.window} `)) model.delete(known);
  }
  for (const one of changes) if (one.kind === 'put') model.set(`${one.window} ${one.key}`, one.value);
}
const texts = (entries: readonly SavedEntry[]): string[] =>
  entries.map(({ namespace, tuple, content }) => `${namespace} ${tuple[0] as string} ${content[0] as number}`).sort();

/** At most one put for each window and key, as in a snapshot. */
const snapshot = fc.uniqueArray(change, {
  maxLength: 12,
  selector: (one) => (one.kind === 'put' ? `${one.window} ${one.key}` : JSON.stringify(one)),
});

test('law: a chain says what a map says after the same changes, and so does its compacted form', () => {
  fc.assert(
    fc.property(fc.array(snapshot, { maxLength: 8 }), (snapshots) => {
      const model = new Map<string, number>();
      const chains = new Map<number, Uint8Array[]>();
      for (const changes of snapshots) {
        apply(model, changes);
        for (const [group, [segment]] of segmentsOf(changes))
          chains.set(group, [...(chains.get(group) ?? []), segment!]);
      }
      const wanted = [...model].map(([name, value]) => `${name} ${value}`).sort();
      assert.deepEqual(texts([...chains.values()].flatMap(entriesOf)), wanted);
      const small = [...chains.values()].flatMap((chain) => compacted(chain) ?? []);
      assert.deepEqual(texts(small.flatMap((segment) => entriesOf([segment]))), wanted);
    }),
  );
});

test('law: merged snapshots say what a map says', () => {
  fc.assert(
    fc.property(fc.array(snapshot, { maxLength: 20 }), (snapshots) => {
      const model = new Map<string, number>();
      let merged: TaskSnapshot = { full: true, groups: new Map(), watermark: 0 };
      for (const changes of snapshots) {
        apply(model, changes);
        merged = mergeSnapshots(merged, { full: false, groups: segmentsOf(changes), watermark: 0 });
      }
      const chains = [...merged.groups.values()];
      const wanted = [...model].map(([name, value]) => `${name} ${value}`).sort();
      assert.deepEqual(texts(chains.flatMap(entriesOf)), wanted);
    }),
  );
});

test('each broken byte of a segment is found', () => {
  const writer = new SegmentWriter();
  writer.put(5, ['ann', 1n], ['content'], { b: 1 });
  const [[group, segment]] = [...writer.segments()] as [[number, Uint8Array]];
  assert.equal(group, keyGroupOf(['ann', 1n]));
  assert.deepEqual(entriesOf([segment]), [{ namespace: 5, tuple: ['ann', 1n], content: ['content'], label: { b: 1 } }]);
  for (let at = 0; at < segment.length; at++) {
    const broken = segment.slice();
    broken[at]! ^= 0x10;
    assert.throws(() => entriesOf([broken]), { code: at === 4 ? 'newer-state' : 'bad-state' });
    assert.equal(formatOf(broken), undefined);
  }
  assert.equal(formatOf(segment), 1);
  for (let length = 0; length < segment.length; length++)
    assert.throws(() => entriesOf([segment.slice(0, length)]), { code: 'bad-state' });
  assert.throws(() => segmentValue(segment), { code: 'bad-state' });
  assert.throws(() => entriesOf([valueSegment(1)]), { code: 'bad-state' });
});

test('a newer format says so, and what to do', () => {
  const segment = valueSegment('x');
  segment[4] = 2;
  assert.throws(() => segmentValue(segment), { code: 'newer-state', message: /has format 2.*Update Sluice/ });
  // The format of a segment is known only when the checksum matches.
  assert.equal(formatOf(segment), undefined);
  const bytes = Buffer.from(segment);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  assert.equal(formatOf(bytes), 2);
});

// ---------------------------------------------------------------------------------- the fixture

interface Stored {
  /** Absent: state that is not keyed. */
  readonly group?: number;
  readonly segment: Uint8Array;
}
/** Every kind of key and of value, and the three kinds of records. */
function everything(): readonly Stored[] {
  const older = new SegmentWriter();
  older.put(undefined, ['gone'], ['old'], undefined);
  older.put(undefined, ['ann'], ['old'], undefined);
  older.put(1_000, ['in a window'], [1], undefined);
  const newer = new SegmentWriter();
  newer.drop(1_000, new Map([[keyGroupOf(['in a window']), { entries: 1, bytes: 0 }]]));
  newer.remove(undefined, ['gone']);
  const keys = [[], ['ann'], ['\ud800'], ['Zürich', 1.5], [null, true], [-(2n ** 70n)], [new Date(5)]];
  const content = [
    ...[null, undefined, true, -0, NaN, 1, 300, 70_000, -5, 2 ** 40, 2n ** 70n, 'é', '\ud800', new Date(5)],
    ...[Uint8Array.of(1), new Map([[{ a: 1 }, new Set([1, 'x'])]]), JSON.parse('{"__proto__":1,"b":[]}') as unknown],
  ];
  for (const tuple of [...keys, [Uint8Array.of(1, 2)], [[1, 'a']], [{ b: 1, a: [false] }]])
    newer.put(undefined, tuple, content, tuple.length > 1 ? { label: true } : undefined);
  newer.put(-60_000, ['ann'], [2], undefined);
  const stored = [older, newer].flatMap((writer) =>
    [...writer.segments()].map(([group, segment]): Stored => ({ group, segment })),
  );
  return [...stored, { segment: valueSegment({ watermark: -Infinity }) }];
}
const fixture = join(import.meta.dirname, 'fixtures', 'segments-1.jsonl');
const stored = (): Stored[] =>
  readFileSync(fixture, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { segment, ...rest } = JSON.parse(line) as { readonly group?: number; readonly segment: string };
      return { ...rest, segment: Uint8Array.from(Buffer.from(segment, 'base64')) };
    });

test('format 1, as it is stored in the repository, is what is written today', () => {
  const text = ({ group, segment }: Stored): string => `${group} ${Buffer.from(segment).toString('hex')}`;
  assert.deepEqual(stored().map(text), everything().map(text));
});

test('format 1, as it is stored in the repository, is read', () => {
  const chains = new Map<number | undefined, Uint8Array[]>();
  for (const { group, segment } of stored()) chains.set(group, [...(chains.get(group) ?? []), segment]);
  assert.deepEqual(segmentValue(chains.get(undefined)![0]!), { watermark: -Infinity });
  const entries = [...chains].flatMap(([group, chain]) => (group === undefined ? [] : entriesOf(chain)));
  const keys = entries.filter(({ namespace }) => namespace === undefined).map(({ tuple }) => tuple);
  assert.equal(keys.length, 10);
  for (const key of [['Zürich', 1.5], ['\ud800'], [new Date(5)], [{ a: [false], b: 1 }], []])
    assert.ok(keys.some((one) => isDeepStrictEqual(one, key)));
  assert.ok(!keys.some(([name]) => name === 'gone'));
  const ann = entries.filter(({ tuple }) => isDeepStrictEqual(tuple, ['ann']));
  assert.deepEqual(
    ann.find(({ namespace }) => namespace !== undefined),
    { namespace: -60_000, tuple: ['ann'], content: [2], label: undefined },
  );
  const { content } = ann.find(({ namespace }) => namespace === undefined)!;
  assert.equal(content.length, 17);
  assert.ok(Object.is(content[3], -0));
  assert.deepStrictEqual(content[15], new Map([[{ a: 1 }, new Set([1, 'x'])]]));
  assert.deepEqual(content[16], JSON.parse('{"__proto__":1,"b":[]}'));
});
