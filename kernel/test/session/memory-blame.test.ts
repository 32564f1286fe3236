// Which cell fails when the thread held too much memory: the one that holds it, else the one with
// by far the largest state, else the one at work, whose error says that it may be innocent.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import type { TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import { SegmentWriter } from '../../../engine/state/segment.ts';
import type { Whereabouts } from '../../executor/executor-protocol.ts';
import type { MemoryEnd } from '../../executor/memory-limit.ts';
import { judged, outOfMemory } from '../../session/memory-blame.ts';
import { createSession, type Session } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { ran, restart, taskState } from './stage.ts';

const end: MemoryEnd = { limitMegabytes: 200, heldMegabytes: 240 };
const busy = { cell: 'busy', operator: 'map', millis: 3 };

/** A snapshot with so many entries. */
function entries(count: number): TaskSnapshot {
  const writer = new SegmentWriter();
  for (let n = 0; n < count; n++) writer.put(undefined, [`key-${n}`], [n], undefined);
  return { ...taskState(0), groups: new Map([...writer.segments()].map(([group, one]) => [group, [one]])) };
}
/** Cell → entries of its aggregate. */
function session(states: Readonly<Record<string, number>>): Session {
  const { recovery, plan, ...rest } = createSession();
  const nodes = Object.keys(states).map((cell): PlanNode => {
    const id = `${cell}~1`;
    return { ...{ id, uid: cell, kind: 'union', name: 'aggregate', group: cell }, parameters: {}, own: '', shape: '' };
  });
  const parts = new Map(Object.entries(states).map(([cell, count]) => [`${cell}~1`, entries(count)]));
  return { ...rest, plan: { ...plan, nodes }, recovery: { ...recovery, parts } };
}
const blamed = (states: Readonly<Record<string, number>>, memory = end, at: readonly Whereabouts[] = [busy]) => {
  const result = judged(session(states), { memory, whereabouts: at[0] });
  const cell = result.whereabouts?.cell ?? '';
  return { ...result.whereabouts, message: outOfMemory(cell, result.memory).message };
};

test('the cell with by far the largest state fails, and not the one at work; the error has its figures', () => {
  const { cell, operator, message } = blamed({ sums: 400_000, small: 5_000 });
  assert.deepEqual([cell, operator], ['sums', 'aggregate']);
  assert.equal(
    message,
    'Cell "sums" needed more memory than the session may hold (sluice.memory: 200 MB; the thread held 240 MB). ' +
      'Its state is by far the largest: up to 400,000 entries of aggregate, 12 MB when saved. Let it keep less, ' +
      'with a window, a time to live or a limit, or raise the setting and restart the session.',
  );
});

test('the cell that holds the memory by its own code is known, whatever states there are', () => {
  const { cell, message } = blamed({ sums: 400_000 }, { ...end, holder: 'busy' });
  assert.equal(cell, 'busy');
  assert.match(message, /^Cell "busy" needed more memory than the session may hold \(sluice\.memory: 200 MB; /);
});

test('what the thread keeps at its end counts, not what the last snapshot knew', () => {
  const kept = [{ cell: 'small', operator: 'aggregate', entries: 500_000 }];
  const { cell, message } = blamed({ sums: 100_000, small: 5_000 }, { ...end, kept });
  assert.equal(cell, 'small');
  assert.match(message, /by far the largest: up to 500,000 entries of aggregate, 1[0-9] MB when saved\./);
});

test('rows that a cell collects are its own, whoever made them and was at work', () => {
  const kept = [{ cell: 'pull', operator: 'toArray()', entries: 600_000, bytes: 60 * 2 ** 20 }];
  const timer = { cell: 'busy', millis: 3 };
  const { cell, operator, message } = blamed({ sums: 10_000 }, { ...end, holder: 'busy', kept }, [timer]);
  assert.deepEqual([cell, operator], ['pull', undefined]);
  assert.match(message, /It keeps by far the most: 600,000 rows of toArray\(\), 60 MB when saved\. Let it keep less/);
});

test('two large states: the cell at work fails, and the error names both and accuses none', () => {
  const { cell, message } = blamed({ sums: 200_000, counts: 180_000 });
  assert.equal(cell, 'busy');
  assert.match(message, /^Cell "busy" was at work when the session held more memory than it may \(sluice\.memory/);
  assert.match(
    message,
    /may be another cell that holds it, and no state is by far the largest: up to 200,000 entries of aggregate, 6 MB when saved of cell "sums"; up to 180,000 .* of cell "counts"\./,
  );
});

test('a state that is small beside what the thread held is no reason', () => {
  const { cell, message } = blamed({ sums: 20_000 }, { limitMegabytes: 2048, heldMegabytes: 2100 });
  assert.equal(cell, 'busy');
  assert.match(message, /It may be another cell that holds it\. Let the cells keep less/);
});

test('a cell that was being evaluated has grown no state of another one', () => {
  assert.equal(blamed({ sums: 400_000 }, end, [{ cell: 'busy', millis: 900 }]).cell, 'busy');
});

test('nobody was at work: the largest state is known all the same', () => {
  assert.equal(blamed({ sums: 400_000 }, end, []).cell, 'sums');
});

test('in a session the cell with the state stays out, and the one at work comes back', () => {
  const s = ran({ sums: 'x$ = ', busy: 'y$ = ' });
  s.planner = planInstances;
  s.runs('sums');
  s.runs('busy');
  const [sums] = s.state.plan.nodes.filter(({ group }) => group === 'sums');
  const parts = new Map([[sums!.id, entries(400_000)]]);
  s.state = { ...s.state, recovery: { ...s.state.recovery, parts } };
  s.event({ kind: 'executor-ended', reason: 'memory', whereabouts: busy, memory: end });
  restart(s, 'sums', 'busy');
  assert.match(s.view('sums').errors[0]?.message ?? '', /^Cell "sums" needed more memory .* Its state is by far/);
  assert.deepEqual(s.view('busy').errors, []);
});
