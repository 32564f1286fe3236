// A sink is replaced while its target takes no rows. It waits behind the change, and each row is
// written once, or committed once.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan } from '../../graph/plan.ts';
import { hasRead } from '../../runtime/source-progress.ts';
import { Life, perElement, plan } from './waiting-sinks-kit.ts';

const upTo = (to: number): number[] => Array.from({ length: to }, (_, n) => n);

test('the change is done before the rows are written, its snapshot is not', () => {
  const life = new Life();
  life.change(plan('numbers>write'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write', { write: 'edited' }), ['write']);
  life.give(3);
  assert.deepEqual(life.mutated, [1]);
  life.look(2);
  assert.deepEqual([life.mutated, life.checkpoints, life.failures], [[1, 2], [1], []]);
  assert.deepEqual(
    life.runtime.waitingSinks.map(({ id, unfinished }) => [id, unfinished]),
    [['write', 4]],
  );
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual(life.target.committed, upTo(7));
  assert.deepEqual([life.checkpoints, life.runtime.waitingSinks], [[1, 2, 3], []]);
});

test('a change that goes on behind a sink says how far each source had read, and whether it has again', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write']);
  life.give(3);
  life.look(2);
  const read = { numbers: { n: 4 } };
  assert.deepEqual(life.read, [read]);
  const next = new Life();
  next.change(plan('numbers>write, numbers>sink'));
  const isThere = (): boolean => hasRead(next.runtime.tasks, read);
  next.give(3);
  assert.equal(isThere(), false);
  next.give(1);
  assert.equal(isThere(), true);
  // Nobody waits for a source that is gone.
  assert.equal(hasRead(next.runtime.tasks, { another: { n: 4 } }), true);
  assert.equal(hasRead(next.runtime.tasks, { numbers: { n: 4, other: 0 } }), false);
});

test('each edit of several takes the rows that came while its text counted, in order', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  for (const text of ['b', 'c', 'd']) {
    life.give(2);
    life.change(plan('numbers>write, numbers>sink', { write: text }), ['write']);
    life.look(2);
  }
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  life.give(2);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual(life.target.committed, upTo(8));
  assert.deepEqual(life.failures, []);
});

test('a snapshot of before a change is given up when the change goes on without its sink', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.snapshot();
  life.change(plan('numbers>sink'), [], ['write']);
  life.look(2);
  // The checkpoint would have the state of the sink, and the plan in which there is none.
  assert.deepEqual([life.mutated, life.givenUp, life.checkpoints], [[1, 3], [2], [1]]);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3]]);
  const next = new Life();
  next.runtime.mutate(plan('numbers>sink'), { retired: life.snapshots[1]!.retired, completed: 3 });
  assert.deepEqual(next.target.committed, upTo(4));
});

test('the snapshot of an edit is given up for that of a second edit', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(2);
  life.change(plan('numbers>write, numbers>sink', { write: 'b' }), ['write']);
  life.look(2);
  life.give(2);
  life.change(plan('numbers>write, numbers>sink', { write: 'c' }), ['write']);
  life.look(2);
  assert.deepEqual([life.mutated, life.givenUp], [[1, 2, 3], [2]]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3, 4]]);
});

test('operators that wait for room of the sink keep their rows and their state', () => {
  const life = new Life();
  life.change(plan('numbers>sum, sum>write'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(20_000);
  life.change(plan('numbers>sum, sum>write', { sum: 'edited', write: 'edited' }), ['sum', 'write']);
  life.look(3);
  assert.deepEqual([life.mutated, life.failures], [[1, 2], []]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  let sum = 0;
  assert.deepEqual(
    life.target.committed,
    upTo(20_000).map((n) => (sum += n)),
  );
});

/**
 * The writer of `many` takes a row at each look. Its operators have more than their channels take.
 */
function takesSlowly(life: Life, groups?: readonly string[]): void {
  const edges = 'numbers>many, many>write';
  life.change(plan(edges));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(3);
  life.change(plan(edges, { many: 'edited', write: 'edited' }), ['many', 'write'], groups);
  for (let looks = 0; looks < 40; looks++) {
    life.target.room += 1;
    life.target.wake();
    life.settle();
    life.look();
  }
}

test('operators above a sink that takes rows slowly keep theirs, however long it takes', () => {
  const life = new Life();
  takesSlowly(life);
  assert.deepEqual([life.mutated, life.failures], [[1, 2], []]);
  life.comeBack();
  life.snapshot();
  life.comeBack();
  // A difference of so many rows takes a minute to print.
  assert.equal(life.target.committed.length, 3 * perElement);
  assert.ok(life.target.committed.every((row, n) => row === n));
});

test('an operator above a slow sink that never ends is stopped, and the change goes on', () => {
  const life = new Life();
  takesSlowly(life);
  assert.equal(life.checkpoints.length, 1);
  const leaving = [...life.runtime.leaving].filter(({ isInsideCall }) => isInsideCall);
  assert.deepEqual(
    leaving.map(({ id }) => id),
    ['many', 'write'],
  );
  leaving[0]!.interrupt(new Error('Interrupted.'));
  life.comeBack();
  assert.deepEqual([life.checkpoints, life.failures, [...life.runtime.leaving]], [[1, 2], ['Interrupted.'], []]);
});

test('operators above a slow sink whose cell is gone have 30 s', () => {
  const life = new Life();
  takesSlowly(life, ['numbers', 'many']);
  assert.deepEqual(life.mutated, [1, 2]);
  assert.match(life.failures.join(), /rows were not written/);
});

test('no later checkpoint is complete before the rows of a removed sink are in it', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>sink'), [], ['write']);
  life.look(2);
  // It takes too long, and the host tries the next one.
  life.runtime.aborted(2);
  life.settle();
  life.snapshot();
  assert.deepEqual([life.mutated, life.checkpoints], [[1, 2], [1]]);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(4), [1, 3]]);
  // The next life would commit them too.
  const next = new Life();
  next.runtime.mutate(plan('numbers>sink'), { retired: life.snapshots[1]!.retired, completed: 3 });
  assert.deepEqual(next.target.committed, upTo(4));
});

test('a sink that stays and loses its input waits behind the change, too, with its successor', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  const withoutInput = (own: Readonly<Record<string, string>>): Plan => {
    const whole = plan('numbers>write, numbers>sink', own);
    const edges = whole.edges.map((edge) => (edge.to === 'write' ? { ...edge, from: '' } : edge));
    return { ...whole, edges };
  };
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write']);
  life.look(2);
  life.change(withoutInput({ write: 'edited' }));
  life.look(2);
  assert.deepEqual([life.mutated, life.checkpoints], [[1, 2, 3], [1]]);
  assert.equal(life.runtime.hasLeaving, true);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  assert.equal(life.runtime.hasLeaving, false);
});

test('a sink whose cell is gone gives up what no checkpoint has, with its successors', () => {
  const life = new Life();
  life.change(plan('numbers>write, numbers>sink'));
  life.give(2);
  life.snapshot();
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>write, numbers>sink', { write: 'edited' }), ['write'], ['numbers', 'write', 'sink']);
  life.look(2);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.deepEqual(life.mutated, [1, 3, 4]);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  life.comeBack();
  assert.deepEqual([life.target.committed, life.checkpoints], [upTo(2), [1, 2, 3, 4]]);
});

test('a sink without transactions keeps its rows through several changes, and a new one takes over at once', () => {
  const life = new Life();
  life.change(plan('numbers>call, numbers>sink'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(5);
  life.change(plan('numbers>call, numbers>sink', { call: 'b' }));
  life.look(2);
  life.give(2);
  life.change(plan('numbers>call, numbers>sink', { call: 'c' }));
  life.look(40);
  life.give(2);
  assert.deepEqual([life.mutated, life.failures], [[1, 2, 3], []]);
  assert.deepEqual(
    life.runtime.waitingSinks.map(({ unfinished }) => unfinished),
    [5, 2],
  );
  life.comeBack();
  assert.deepEqual((life.target.committed as number[]).toSorted(), upTo(9));
  assert.deepEqual([life.runtime.waitingSinks, life.runtime.hasLeaving], [[], false]);
  life.snapshot();
  assert.deepEqual(life.checkpoints, [1, 3, 4]);
  // Such an edit may be a repair, so nobody goes back to before it.
  assert.deepEqual(life.read, []);
});

test('a sink without transactions gives its rows up when its cell is gone', () => {
  const life = new Life();
  life.change(plan('numbers>call, numbers>sink'));
  life.target.isAway = true;
  life.give(4);
  life.change(plan('numbers>call, numbers>sink', { call: 'b' }), [], ['numbers', 'call', 'sink']);
  life.look(2);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(3);
  assert.match(life.failures.join(), /At least 4 of its rows were not written/);
  assert.deepEqual([life.mutated, life.checkpoints, life.runtime.hasLeaving], [[1, 2, 3], [1, 2, 3], false]);
});

test('rows are given up with the cell also where an operator that stays waits for room', () => {
  const life = new Life();
  const all = ['numbers', 'sum', 'call', 'sink'];
  life.change(plan('numbers>sum, sum>call, numbers>sink'));
  Object.assign(life.target, { isAway: true, room: 3 });
  life.give(20_000);
  life.change(plan('numbers>sum, sum>call, numbers>sink', { call: 'b' }), [], all);
  life.look(2);
  assert.deepEqual(life.mutated, [1, 2]);
  // The cell is deleted: first its input is cut, then it is gone.
  const whole = plan('numbers>sum, sum>call, numbers>sink', { call: 'b' });
  const edges = whole.edges.map((edge) => (edge.to === 'sum' ? { ...edge, from: '' } : edge));
  life.change({ ...whole, edges }, [], all);
  life.look(2);
  assert.deepEqual(life.mutated, [1, 2, 3]);
  life.change(plan('numbers>sink'), [], ['numbers', 'sink']);
  life.look(10);
  assert.deepEqual(life.mutated, [1, 2, 3, 4]);
  assert.match(life.failures.join(), /At least \d+ of its rows were not written/);
  assert.deepEqual([life.checkpoints.at(-1), life.runtime.hasLeaving], [4, false]);
});
