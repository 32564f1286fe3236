// Broadcast state is in a snapshot only if it has changed since the one before: rules that seldom
// change cost a checkpoint nothing.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ListState, MapState, ValueState } from '../../api/surface.ts';
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
    const saved = (): Uint8Array => {
      driven.snapshot();
      return driven.saved.broadcast!;
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
