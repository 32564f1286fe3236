// A sink that was replaced while its target took no rows: what its cell says, and when its rows are
// given up.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { LeavingSink } from '../../executor/waits.ts';
import { sessionView } from '../../session/session-view.ts';
import { report as operatorReport } from './reports.ts';
import { Stage } from './stage.ts';

function running(): Stage {
  const s = new Stage();
  s.document({ rows: 'x$ = ', out: ' = x$' });
  s.ready();
  s.runs('rows');
  s.runs('out');
  return s;
}
function report(s: Stage, ...leavingSinks: readonly LeavingSink[]): void {
  s.event({ kind: 'metrics', at: s.now, operators: [], thread: 0, ...(leavingSinks.length > 0 && { leavingSinks }) });
}
const away = {
  ...{ cell: 'out', name: 'to totals' },
  ...{ waiting: 'broker 127.0.0.1:9092 does not answer', waitingSince: Date.parse('2024-05-01T10:02:50Z') },
};

test('the cell says how many rows wait, for what, and how to give them up', () => {
  const s = running();
  s.now = Date.parse('2024-05-01T10:03:00Z');
  report(s, { ...away, rows: 1_200 }, { cell: 'out', name: 'to totals', rows: 34 });
  const { notes, trouble } = s.view('out');
  assert.deepEqual(notes, [
    'the sink of before the change has still to write 1,234 rows, and no checkpoint is complete before that. ' +
      'To give them up, delete the cell',
  ]);
  assert.equal(trouble, 'broker 127.0.0.1:9092 does not answer; since 10:02:50');
  assert.deepEqual([s.view('rows').notes, s.view('rows').trouble], [[], undefined]);
  report(s);
  assert.deepEqual([s.view('out').notes, s.view('out').trouble], [[], undefined]);
});

test('the executor hears of the cells that there are: a deleted one is there until its time of grace is over', () => {
  const s = running();
  const cellsOfMutation = (): readonly string[] => {
    const effect = s.effects.findLast(({ kind }) => kind === 'mutate');
    assert.ok(effect?.kind === 'mutate');
    return effect.cells;
  };
  s.document({ rows: 'x$ = ' });
  assert.deepEqual(cellsOfMutation(), ['rows', 'out']);
  s.mutated();
  s.event({ kind: 'timer', timer: 'grace:out' });
  assert.deepEqual(cellsOfMutation(), ['rows']);
});

test('a cell that is moved, or cut and pasted, is there all the time; one with another id is a new cell', () => {
  const s = running();
  s.effects.length = 0;
  const mutations = (): string[][] =>
    s.effects.flatMap((effect) => (effect.kind === 'mutate' ? [[...effect.cells].sort()] : []));
  s.document({ out: ' = x$', rows: 'x$ = ' });
  assert.deepEqual(mutations(), []);
  s.document({ rows: 'x$ = ' });
  s.mutated();
  s.document({ out: ' = x$', rows: 'x$ = ' });
  s.mutated();
  assert.deepEqual(mutations(), [
    ['out', 'rows'],
    ['out', 'rows'],
  ]);
  s.document({ renamed: ' = x$', rows: 'x$ = ' });
  s.mutated();
  s.event({ kind: 'timer', timer: 'grace:out' });
  assert.deepEqual(mutations().at(-1), ['renamed', 'rows']);
});

test('a savepoint that does not come says what it waits for, and since when, until it is given up', () => {
  const s = running();
  s.now = Date.parse('2024-05-01T10:03:00Z');
  s.event({ kind: 'want-savepoint', request: 7, directory: '/tmp' });
  const waiting = (): string | undefined =>
    sessionView(s.state, { now: s.now, hasView: () => false, zone: 'UTC' }).savepoint;
  assert.equal(waiting(), undefined);
  s.now += 2_000;
  assert.equal(waiting(), 'the savepoint waits since 10:03:00 for the next checkpoint');
  report(s, { ...away, rows: 1_200 });
  assert.equal(
    waiting(),
    'the savepoint waits since 10:03:00 for "to totals" of cell "out", which has still to write 1,200 rows: ' +
      'broker 127.0.0.1:9092 does not answer',
  );
  const status = { entries: 0, waiting: 'broker 127.0.0.1:9092 does not answer' };
  const sink = operatorReport('out/sink#1', { name: 'to totals', status });
  const snapshotWaits = { cell: 'out', operator: 'map → to totals', millis: 3_000 };
  s.event({ kind: 'metrics', at: s.now, operators: [sink], thread: 0, snapshotWaits });
  assert.equal(
    waiting(),
    'the savepoint waits since 10:03:00 for "map → to totals" of cell "out": broker 127.0.0.1:9092 does not answer',
  );
  s.event({ kind: 'give-up-savepoint', request: 7 });
  assert.equal(waiting(), undefined);
  s.snapshot({}, { checkpoint: s.state.checkpoints.nextId - 1 });
  assert.ok(s.effects.every(({ kind }) => kind !== 'store-savepoint'));
});

test('the end of the session counts the rows that wait: they are in no checkpoint', () => {
  const s = running();
  const end = (): string | undefined => {
    s.event({ kind: 'shutdown' });
    const effect = s.effects.findLast(({ kind }) => kind === 'end-session');
    return effect?.kind === 'end-session' ? effect.reason : undefined;
  };
  assert.equal(end(), 'The session was shut down.');
  report(s, { ...away, rows: 1 });
  assert.equal(end(), 'The session was shut down. Sinks of before a change had still to write 1 row, of "to totals".');
});
