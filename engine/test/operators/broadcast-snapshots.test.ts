// Broadcast state is in a snapshot only if it has changed since the one before: rules that seldom
// change cost a checkpoint nothing.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { ListState, MapState, ValueState } from '../../api/surface.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { bytesOf, segmentValue, valueSegment } from '../../state/segment.ts';
import { Driven, Program } from './drive.ts';

interface States {
  readonly one: ValueState<number>;
  readonly list: ListState<number>;
  readonly map: MapState<string, number>;
}
type Act = (states: States) => unknown;

/** Each changes the state that those before it leave. */
const changes: readonly Act[] = [
  ({ one }) => one.set(1),
  ({ one }) => one.set(2),
  ({ one }) => one.clear(),
  ({ list }) => list.add(1),
  ({ list }) => list.add(2),
  ({ list }) => list.set([3]),
  ({ list }) => list.clear(),
  ({ map }) => map.set('a', 1),
  ({ map }) => map.set('a', 2),
  ({ map }) => map.set('b', 1),
  ({ map }) => map.delete('a'),
  ({ map }) => map.clear(),
  ({ map }) => map.set('c', 3),
];
const reads: Act = ({ one, list, map }) => [one.get(), [...list], map.get('c'), map.has('x'), [...map]];

const parameters = {
  broadcast: { one: { kind: 'value' }, list: { kind: 'list' }, map: { kind: 'map' } },
  state: {},
  onElement: (_: unknown, { broadcast }: { broadcast: States }) => [[...broadcast.map]],
  onBroadcast: (act: Act, { broadcast }: { broadcast: States }) => void act(broadcast),
};
const programs = {
  'behind a key': new Program('broadcastProcess', parameters, [{ fn: () => 1 }]),
  'without a key': new Program('broadcastProcess', parameters),
};

for (const [where, program] of Object.entries(programs))
  test(`broadcast state ${where}: a snapshot without a change keeps its bytes, and every change is in the next one`, () => {
    const driven = new Driven(program);
    const saved = (): TaskSnapshot['broadcast'] => {
      driven.snapshot();
      return driven.saved.broadcast;
    };
    const hear = (act: Act): unknown => driven.step({ records: [[act, 1]], input: 1 });
    let before = saved();
    for (const change of changes) {
      hear(change);
      const after = saved();
      assert.notDeepEqual(after, before, String(change));
      hear(reads);
      driven.step({ records: [[{}, 2]] });
      assert.equal(saved(), after, `the same array after ${String(change)}`);
      before = after;
    }
    driven.snapshot(true);
    assert.notEqual(driven.saved.broadcast, before, 'a full snapshot has it again');
    assert.deepEqual(driven.saved.broadcast, before);
    driven.replace();
    assert.deepEqual(driven.step({ records: [[{}, 3]] }).rows, [[[['c', 3]], 3]]);
  });

const hears = (driven: Driven, act: Act): unknown => driven.step({ records: [[act, 1]], input: 1 });
/** What a restored operator holds. */
function heldBy(program: Program, snapshot: TaskSnapshot): unknown {
  const driven = new Driven(program);
  driven.operator.restore!(readSnapshot(snapshot));
  let held: unknown;
  hears(driven, (states) => void (held = reads(states)));
  return held;
}

test('a large broadcast state is written in slices of 64 KiB', () => {
  const driven = new Driven(programs['without a key']);
  hears(driven, ({ list, map }) => {
    for (let n = 0; n < 3_000; n++) map.set(`key ${n} ${'x'.repeat(1_000)}`, n);
    list.set(Array.from({ length: 20_000 }, (_, n) => n));
  });
  const writer = new SnapshotWriter(false);
  driven.operator.snapshot!(writer);
  const begun = writer.begun(0);
  let slices = 1;
  while (!begun.proceed(() => true)) slices++;
  const segments = begun.finished().broadcast;
  assert.ok(Array.isArray(segments) && segments.length <= slices, 'a look at the clock behind each segment');
  assert.ok(bytesOf(segments) > 2_500_000);
  for (const segment of segments as Uint8Array[]) {
    assert.ok(segment.length < 65_536 + 1_100, `${segment.length} bytes at once`);
    assert.ok((segmentValue(segment, 'broadcast') as unknown[]).length <= 256);
  }
});

test('law: a snapshot has the broadcast state of its barrier, whatever changes while it is written', () => {
  const fill: Act = ({ one, list, map }) => {
    one.set(7);
    list.set(Array.from({ length: 600 }, (_, n) => n));
    for (let n = 0; n < 600; n++) map.set(`k${n}`, n);
  };
  const more: readonly Act[] = [
    ...changes,
    ({ map }) => map.set('k500', -1),
    ({ map }) => map.delete('k599'),
    ({ list }) => list.add(-1),
  ];
  const program = programs['without a key'];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...more), fc.constant('slice' as const)), { maxLength: 20 }),
      (acts) => {
        const driven = new Driven(program);
        hears(driven, fill);
        const writer = new SnapshotWriter(false);
        driven.operator.snapshot!(writer);
        const begun = writer.begun(0);
        for (const act of acts)
          if (act === 'slice') begun.proceed(() => true);
          else hears(driven, act);
        const other = new Driven(program);
        hears(other, fill);
        let expected: unknown;
        hears(other, (states) => void (expected = reads(states)));
        assert.deepEqual(heldBy(program, begun.finished()), expected);
      },
    ),
    { numRuns: 50 },
  );
});

test('broadcast content of a former version, one object by name, is read', () => {
  const map = new Map([['c', { key: 'c', value: 3, expiresAt: Infinity }]]);
  const broadcast = valueSegment({ one: 1, list: { items: [4, 5] }, map }, 'broadcast');
  const former: TaskSnapshot = { full: true, groups: new Map(), watermark: 0, broadcast };
  for (const program of Object.values(programs))
    assert.deepEqual(heldBy(program, former), [1, [4, 5], 3, false, [['c', 3]]]);
});
