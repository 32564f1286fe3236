// A transaction of checkpoint n has expired: the session goes back to the checkpoint before it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SavedCheckpoint } from '../../session/checkpoint-state.ts';
import { createSession } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { Stage, taskState } from './stage.ts';

function running(isStored = true, { nextId = 5, upgradedFrom = 0, text = 'ax = ' } = {}): Stage {
  const s = new Stage();
  s.state = createSession({}, { isStored, nextId, upgradedFrom });
  s.planner = planInstances;
  s.document({ a: text, b: 'bx = ' });
  s.ready();
  s.runs('a');
  s.runs('b');
  return s;
}
/** A checkpoint of the state, with its id. */
function stored(s: Stage, watermark: number): SavedCheckpoint {
  s.now += 100_000;
  s.event({ kind: 'want-checkpoint' });
  const { id } = s.state.checkpoints.asked.at(-1)!;
  s.snapshot({ 'a~1': watermark, 'b~2': watermark }, { checkpoint: id });
  const effect = s.effects.findLast((one) => one.kind === 'store-checkpoint');
  assert.ok(effect?.kind === 'store-checkpoint' && effect.content.id === id);
  s.event({ kind: 'checkpoint-stored', id, bytes: 1, newBytes: 1 });
  return effect.content;
}
const message = 'The transaction of "out" with offsets 3 to 9 has expired';
const expires = (s: Stage, checkpoint?: number): string[] =>
  s.event({
    ...{ kind: 'operator-failed', instance: 'a~1', cell: 'a', name: 'to out' },
    error: { code: 'transaction-expired', message, ...(checkpoint !== undefined && { checkpoint }) },
  });
const ended = (s: Stage): string[] => {
  s.event({ kind: 'executor-ended', reason: 'ended' });
  return s.event({ kind: 'timer', timer: 'restart' });
};

test('the checkpoint before is restored when it is read and the executor has ended, in both orders', () => {
  for (const isReadFirst of [true, false]) {
    const s = running();
    const older = stored(s, 1);
    const newer = stored(s, 2);
    const before = newer.id;
    assert.deepEqual(expires(s), [`read the checkpoint before ${before}`, 'end executor']);
    const first = isReadFirst ? s.event({ kind: 'older-checkpoint', before, found: older }) : ended(s);
    assert.deepEqual(first, []);
    const said = isReadFirst ? ended(s) : s.event({ kind: 'older-checkpoint', before, found: older });
    const time = new Date(older.takenAt).toISOString();
    const text = `${message}. So checkpoint ${before} is not used, and the session goes on from checkpoint ${older.id} of ${time}.`;
    assert.deepEqual(said, [`warn ${text}`, 'start executor']);
    s.ready();
    s.restored('a');
    assert.match(s.restored('b').join(), /from the snapshot/);
    const mutation = s.effects.findLast((effect) => effect.kind === 'mutate');
    assert.ok(mutation?.kind === 'mutate');
    assert.deepEqual(
      mutation.restore?.map(({ state }) => state.watermark),
      [1, 1],
    );
    assert.equal(mutation.goesOnFrom, newer.takenAt, 'time does not go back with the state');
    assert.equal(mutation.completed, older.id, 'sinks commit what is pending up to the older one');
    s.mutated();
    assert.deepEqual([s.state.executor, s.state.restarts.startsAt], ['ready', undefined]);
    assert.deepEqual(s.view('a').notes, [text]);
    assert.deepEqual(s.view('a').errors, []);
  }
});

test('the operator names an older checkpoint, and failures and snapshots that come meanwhile count nothing', () => {
  const s = running();
  const older = stored(s, 1);
  stored(s, 2);
  assert.deepEqual(expires(s, older.id)[0], `read the checkpoint before ${older.id}`);
  assert.deepEqual(expires(s), []);
  s.snapshot({ 'a~1': 9, 'b~2': 9 });
  assert.equal(s.state.recovery.parts.get('a~1')?.watermark, taskState(2).watermark);
  assert.deepEqual(s.view('a').errors, []);
});

test('with the state of a checkpoint from before the start the session keeps its own cells', () => {
  const former = stored(running(), 1);
  const groups = new Map([[1, []]]);
  const parts = new Map([...former.parts].map(([id, part]) => [id, { ...part, groups }]));
  for (const upgradedFrom of [former.id, former.id - 1]) {
    const s = running(true, { nextId: former.id + 5, upgradedFrom, text: 'ax = # another value' });
    const before = stored(s, 2).id;
    expires(s);
    ended(s);
    s.event({ kind: 'older-checkpoint', before, found: { ...former, parts } });
    s.ready();
    s.restored('a');
    s.restored('b');
    const mutation = s.effects.findLast((effect) => effect.kind === 'mutate');
    assert.ok(mutation?.kind === 'mutate');
    assert.deepEqual(
      mutation.restore?.map(({ instance, state }) => [instance, state.groups]),
      [
        ['a~1', groups],
        ['b~2', groups],
      ],
    );
    s.mutated();
    const isOwn = upgradedFrom === former.id;
    assert.equal(s.state.cells.get('a')?.active?.text, isOwn ? 'ax = # another value' : 'ax = ');
    assert.deepEqual([s.state.executor, s.state.checkpoints.upgrade], ['ready', undefined]);
  }
});

test('without an older checkpoint the session ends with one error', () => {
  const s = running();
  const only = stored(s, 1);
  expires(s);
  ended(s);
  const said = s.event({ kind: 'older-checkpoint', before: only.id });
  assert.equal(said.length, 1);
  assert.match(
    said[0]!,
    /^the graph cannot change: The transaction of "out" with offsets 3 to 9 has expired\. No checkpoint before \d+ is kept\. Start fresh/,
  );
  assert.equal(s.state.executor, 'broken');
  const unread = running();
  const before = stored(unread, 1).id;
  expires(unread);
  ended(unread);
  assert.match(
    unread.event({ kind: 'older-checkpoint', before, problem: 'It is newer' }).join(),
    /expired\. It is newer\./,
  );
});

test('without stored checkpoints it is a failure like others', () => {
  const s = running(false);
  assert.deepEqual(expires(s), []);
  assert.match(s.view('a').errors[0]?.message ?? '', /has expired/);
});
