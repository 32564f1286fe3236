// A sink that was replaced while its target took no rows: what its cell says, and when its rows are
// given up.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { LeavingSink } from '../../executor/waits.ts';
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
