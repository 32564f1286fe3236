// The state that a new executor starts from: merged incremental snapshots and successors of a
// handover. Also the time of a snapshot.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import { type Chain, entriesOf, SegmentWriter } from '../../../engine/state/segment.ts';
import { mergeParts } from '../../session/recovery.ts';
import { planInstances } from './instance-planner.ts';
import { ran, Stage, taskState } from './stage.ts';

/** A chain of one segment, with a long entry of one key. */
const chainOf = (key: string, content = 'x'.repeat(500)): Chain => {
  const writer = new SegmentWriter();
  writer.put(undefined, [key], [content], undefined);
  return [...writer.segments().values()];
};
const groups = (full: boolean, content: Readonly<Record<number, Chain>>): TaskSnapshot => ({
  ...{ full, watermark: 1 },
  groups: new Map(Object.entries(content).map(([group, chain]) => [Number(group), chain])),
});

test('a part goes on top of the key groups that it holds and leaves the others as they were known', () => {
  const later = chainOf('b', 'new');
  const known = new Map([['a', groups(true, { 1: chainOf('a'), 2: chainOf('b') })]]);
  const merged = mergeParts(known, [{ instance: 'a', state: groups(false, { 2: later }) }]);
  const chain = merged.get('a')!.groups.get(2)!;
  assert.equal(chain.at(-1), later[0]);
  assert.deepEqual(
    entriesOf(chain).map(({ tuple, content }) => [tuple, content]),
    [[['b'], ['new']]],
  );
  assert.equal(merged.get('a')!.groups.get(1), known.get('a')!.groups.get(1), 'the bytes are shared, not copied');
  assert.deepEqual([...known.get('a')!.groups.keys()], [1, 2], 'what was known before stays as it was');
});

test('a part in which nothing was written shares all key groups with what was known', () => {
  const known = new Map([['a', groups(true, { 1: chainOf('a'), 2: chainOf('b') })]]);
  const merged = mergeParts(known, [{ instance: 'a', state: { ...groups(false, {}), watermark: 9 } }]);
  assert.equal(merged.get('a')!.groups, known.get('a')!.groups);
  assert.equal(merged.get('a')!.watermark, 9);
});

test('a whole part forgets the key groups of before', () => {
  const known = new Map([['a', groups(true, { 1: chainOf('a') })]]);
  const merged = mergeParts(known, [{ instance: 'a', state: groups(true, { 2: chainOf('b') }) }]);
  assert.deepEqual([...merged.get('a')!.groups.keys()], [2]);
});

test('an instance without a part is forgotten, and a new one is known from its first part', () => {
  const known = new Map([['a', taskState(1)]]);
  const merged = mergeParts(known, [{ instance: 'b', state: taskState(2) }]);
  assert.deepEqual([...merged.keys()], ['b']);
});

/** A session in which the cells have run, one instance each. */
function running(...cells: readonly string[]): Stage {
  const stage = new Stage();
  stage.planner = planInstances;
  stage.document(Object.fromEntries(cells.map((cell) => [cell, `${cell}x = `])));
  stage.ready();
  for (const cell of cells) stage.runs(cell);
  return stage;
}
/**
 * Ends the executor and gives what the next one is told to restore: instance → how far its state
 * has come.
 */
function restored(s: Stage): Readonly<Record<string, number>> {
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  s.ready();
  for (const { id, active } of s.state.cells.values()) if (active) s.restored(id);
  const mutate = s.effects.findLast((effect) => effect.kind === 'mutate');
  assert.ok(mutate?.kind === 'mutate' && mutate.restore, 'the first mutation of a new executor restores');
  return Object.fromEntries(mutate.restore.map(({ instance, state }) => [instance, state.watermark]));
}

test('a new executor starts from the last snapshot', () => {
  const s = running('a', 'b');
  s.snapshot({ 'a~1': 1, 'b~2': 1 });
  s.snapshot({ 'a~1': 5, 'b~2': 6 });
  assert.deepEqual(restored(s), { 'a~1': 5, 'b~2': 6 });
});

test('a new executor starts with nothing when there was no snapshot', () => {
  assert.deepEqual(restored(running('a')), {});
});

test('an instance that took over a state is restored from its predecessor until it is in a snapshot', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.runs('a');
  assert.deepEqual(s.effects.findLast((effect) => effect.kind === 'mutate')?.handover, { 'a~2': 'a~1' });
  assert.equal(restored(s)['a~2'], 5);
});

test('an instance that took over a state is restored from its own snapshot when there is one', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.runs('a');
  s.snapshot({ 'a~2': 7 });
  assert.deepEqual(restored(s), { 'a~2': 7 });
});

test('the snapshot of a mutation may come before the mutation is done', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  s.snapshot({ 'a~2': 7 });
  s.mutated();
  assert.equal(s.state.recovery.successors.size, 0);
  assert.deepEqual(restored(s), { 'a~2': 7 });
});

test('a successor of a successor is restored from the state that is known', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.runs('a');
  s.runs('a');
  assert.equal(restored(s)['a~3'], 5);
});

test('a successor that comes with the first plan of a new executor starts with the known state', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  const { plan } = s.state;
  s.planner = (request) =>
    planInstances({ ...request, running: { ...plan, nodes: [{ ...plan.nodes[0]!, id: 'a~0' }] } });
  s.state = { ...s.state, recovery: { ...s.state.recovery, parts: new Map([['a~0', taskState(5)]]) } };
  assert.equal(restored(s)['a~1'], 5);
});

test('a failed mutation forgets its successors', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  s.mutationFailed();
  assert.equal(s.state.recovery.successors.size, 0);
  assert.deepEqual(restored(s), { 'a~1': 5 });
});

test('a mutation that was in flight when the executor ended forgets its successors', () => {
  const s = running('a');
  s.snapshot({ 'a~1': 5 });
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
  assert.deepEqual(restored(s), { 'a~1': 5 });
});

test('the rows on screen are kept with each snapshot and come back with the restored executor', () => {
  const s = running('a');
  const kinds = (from: number): string[] => s.effects.slice(from).map(({ kind }) => kind);
  s.snapshot({ 'a~1': 5 });
  s.snapshot({ 'a~1': 6 });
  restored(s);
  assert.deepEqual(kinds(-2), ['rewind-views', 'mutate'], 'views go back before the first new row can come');
  const rewind = s.effects.at(-2);
  assert.ok(rewind?.kind === 'rewind-views');
  assert.equal(rewind.views, s.views);
  assert.equal(rewind.views.get('a/0')?.total, 2);
});

test('views become empty when the executor is restored and no snapshot was written', () => {
  const s = running('a');
  restored(s);
  const rewind = s.effects.at(-2);
  assert.ok(rewind?.kind === 'rewind-views');
  assert.equal(rewind.views.size, 0);
});

test('a new executor goes on from the clock of the former one, also when the wall clock was set back', () => {
  const s = running('a');
  const goesOnFrom = (): number | undefined => {
    restored(s);
    const mutate = s.effects.findLast((effect) => effect.kind === 'mutate');
    s.mutated();
    assert.ok(mutate?.kind === 'mutate');
    return mutate.goesOnFrom;
  };
  const hour = 3_600_000;
  s.now = 10 * hour;
  s.snapshot({ 'a~1': 5 }, { clock: 10 * hour });
  s.now = 9 * hour;
  s.snapshot({ 'a~1': 6 }, { clock: 10 * hour + 1_000 });
  assert.equal(goesOnFrom(), 10 * hour + 1_000);
  assert.equal(goesOnFrom(), 10 * hour + 1_000, 'the next executor has ended before its first snapshot');
  s.now = 11 * hour;
  s.snapshot({ 'a~1': 7 }, { clock: 11 * hour - 5 });
  assert.equal(goesOnFrom(), 11 * hour, 'the wall clock is ahead');
});

for (const { title, prepare, asks } of [
  { title: 'each second', prepare: () => undefined, asks: ['snapshot'] },
  { title: 'not while one is under way', prepare: (s: Stage) => void s.event({ kind: 'heartbeat' }), asks: [] },
  { title: 'not while a mutation is in flight', prepare: inMutation, asks: [] },
  {
    title: 'not while the executor is being restored',
    prepare: (s: Stage) => {
      s.event({ kind: 'executor-ended', reason: 'out of memory' });
      s.ready();
    },
    asks: [],
  },
  {
    title: 'again when the executor that owed one has ended',
    prepare: (s: Stage) => {
      s.event({ kind: 'heartbeat' });
      restored(s);
      s.mutated();
    },
    asks: ['snapshot'],
  },
  {
    title: 'not soon after one that took long to write',
    prepare: (s: Stage) => {
      s.snapshot({ 'a~1': 1 }, { millis: 100 });
      s.now += 1999;
    },
    asks: [],
  },
  {
    title: 'when twenty times the writing has passed',
    prepare: (s: Stage) => {
      s.snapshot({ 'a~1': 1 }, { millis: 100 });
      s.now += 2000;
    },
    asks: ['snapshot'],
  },
  {
    title: 'not soon after one whose barrier was stuck',
    prepare: (s: Stage) => {
      s.snapshot({ 'a~1': 1 }, { behindMillis: 60_000 });
      s.now += 2999;
    },
    asks: [],
  },
])
  test(`a snapshot is asked for ${title}`, () => {
    const s = running('a');
    prepare(s);
    s.said();
    assert.deepEqual(s.event({ kind: 'heartbeat' }), asks);
  });

function inMutation(s: Stage): void {
  s.run('a');
  s.compiled('a');
  s.evaluated('a');
}

test('a plan that cannot be restored is told, so that a job ends with it', () => {
  const s = ran({ a: 'x$ = ' });
  s.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
  s.ready();
  s.restored('a');
  assert.deepEqual(s.mutationFailed('No memory.'), ['the graph cannot change: No memory.']);
  assert.equal(s.state.executor, 'broken');

  const planned = ran({ a: 'x$ = ' });
  planned.event({ kind: 'executor-ended', reason: 'its thread ended with code 1' });
  planned.ready();
  planned.planner = () => {
    throw new Error('No plan.');
  };
  assert.ok(planned.restored('a').includes('the graph cannot change: No plan.'));
  assert.equal(planned.state.executor, 'broken');
});
