// Log, error boxes and the backpressure panel: their contents and their limits.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { BackpressureHistory, operatorRows } from '../../displays/backpressure-part.ts';
import { errorParts } from '../../displays/error-part.ts';
import { CellLog } from '../../displays/log-part.ts';
import { graph, report } from '../session/reports.ts';
import { Stage } from '../session/stage.ts';

const lines = (count: number, at = 0) =>
  Array.from({ length: count }, (_, index) => ({ level: 'log', at, text: String(index) }) as const);

test('a log lets twenty lines a second through and counts the others', () => {
  const log = new CellLog();
  log.add(lines(1000), 0);
  log.add(lines(5, 1000), 7);
  assert.equal(log.part().lines.length, 25);
  assert.equal(log.part().dropped, 987);
});

test('a log keeps its last five hundred lines', () => {
  const log = new CellLog();
  for (let second = 0; second < 100; second++) log.add(lines(10, second * 1000), 0);
  const { lines: kept } = log.part();
  assert.deepEqual([kept.length, kept[0]?.n, kept.at(-1)?.n], [500, 501, 1000]);
});

test('an error of an operator names operator, cell and line, the record, and the way out', () => {
  const s = new Stage();
  s.document({ enrich: 'x$ = ' });
  s.ready();
  s.runs('enrich');
  s.event({
    kind: 'operator-failed',
    ...{ instance: 'enrich/x$/map#1', cell: 'enrich', name: 'map lookup', record: 'orders[3]@188204  { … }' },
    error: { code: 'TypeError', message: 'No tier.', cell: 'enrich', line: 3, column: 20, excerpt: '  const tier' },
  });
  assert.deepEqual(errorParts(s.state.cells.get('enrich')!), [
    {
      kind: 'error',
      id: 'error/enrich/x$/map#1',
      where: 'map lookup · cell enrich, line 3',
      code: 'TypeError',
      message: 'No tier.',
      location: { cell: 'enrich', line: 3, column: 20 },
      excerpt: '  const tier',
      record: 'orders[3]@188204  { … }',
      hint: 'Cell enrich and the operators that read from it have stopped. All others continue. Edit and run the cell to resume.',
    },
  ]);
});

test('an error of partitions says that the others continue', () => {
  const s = new Stage();
  s.document({ a: 'x$ = ' });
  s.ready();
  s.runs('a');
  const error = { code: 'kafka-unreadable', message: 'It cannot be read.' };
  const failure = { kind: 'operator-failed', instance: 'a/x$/map#1', cell: 'a', name: 'orders', error } as const;
  s.event({ ...failure, partitions: ['orders[3]'] });
  s.event({ ...failure, partitions: ['eu[0]', 'eu[1]'] });
  const parts = errorParts(s.state.cells.get('a')!);
  assert.deepEqual(
    parts.map(({ id, hint }) => [id, hint]),
    [
      [
        'error/a/x$/map#1/orders[3]',
        'Partition orders[3] has stopped. The others continue, and event time goes on without its records. Run the cell to try it again.',
      ],
      [
        'error/a/x$/map#1/eu[0]',
        '2 partitions from eu[0] on have stopped. The others continue, and event time goes on without their records. Run the cell to try them again.',
      ],
    ],
  );
});

test('of many partitions that fail one by one, the first three are shown and the others counted', () => {
  const s = new Stage();
  s.document({ a: 'x$ = ' });
  s.ready();
  s.runs('a');
  for (let n = 0; n < 50; n++)
    s.event({
      kind: 'operator-failed',
      ...{ instance: 'a/x$/map#1', cell: 'a', name: 'orders', partitions: [`t[${n}]`] },
      error: { code: 'kafka-offset-gone', message: `t[${n}] begins later.` },
    });
  const messages = errorParts(s.state.cells.get('a')!).map(({ message }) => message);
  assert.deepEqual(messages, [
    't[0] begins later.',
    't[1] begins later.',
    't[2] begins later.',
    '47 more partitions have stopped with an error; lag() shows each. The first: t[3] begins later.',
  ]);
  assert.equal(s.view('a').errors.length, 4);
});

test('an error that all copies of an operator have is shown once, and another record is another error', () => {
  const s = new Stage();
  s.document({ a: 'x$ = ' });
  s.ready();
  s.runs('a');
  const error = { code: 'kafka', message: 'There is no connection.', cell: 'a', line: 1, column: 1 };
  const failed = (instance: string, record?: string): void => {
    s.event({ kind: 'operator-failed', instance, cell: 'a', name: 'map', error, ...(record && { record }) });
  };
  for (const instance of ['a/x$/map#1', 'a/x$/map#2', 'a/x$/map#3']) failed(instance);
  failed('a/x$/map#4', 't[0]@7');
  assert.deepEqual(
    errorParts(s.state.cells.get('a')!).map(({ record }) => record),
    [undefined, 't[0]@7'],
  );
  assert.equal(s.view('a').errors.length, 2);
});

test('an error in a helper module names the file', () => {
  const s = new Stage();
  s.document({ a: 'x = ' });
  s.ready();
  s.run('a');
  s.compiled('a');
  const run = s.state.runs[0]!.id;
  s.event({ kind: 'evaluation-failed', run, error: { code: 'E', message: 'm', cell: 'a', file: 'lib.ts', line: 7 } });
  assert.deepEqual(errorParts(s.state.cells.get('a')!)[0]?.location, { file: 'lib.ts', line: 7, column: 1 });
});

const plan = graph(
  ['orders/orders:kafka', 'enrich/lookup', 'totals/totals:aggregate', 'display/totals/0:display'],
  ['orders/orders > enrich/lookup', 'enrich/lookup > totals/totals', 'totals/totals > display/totals/0'],
);

test('the panel names the most downstream busy operator behind the blocked ones, and what a record costs it', () => {
  const rows = operatorRows(plan, [
    report('totals/totals', { kind: 'aggregate', busy: 0.2 }),
    report('enrich/lookup', { busy: 1, inPerSecond: 18_240 }),
    report('orders/orders', { kind: 'kafka', backpressured: 0.75 }),
    report('display/totals/0', { kind: 'display' }),
  ]);
  assert.deepEqual(
    rows.map(({ name, level, culprit }) => [name, level, culprit]),
    [
      ['orders', 'HIGH', undefined],
      ['lookup', 'OK', 'limits the flow: 55 µs a record'],
      ['totals', 'OK', undefined],
    ],
  );
});

for (const { backpressured, level } of [
  { backpressured: 0.1, level: 'OK' },
  { backpressured: 0.1001, level: 'LOW' },
  { backpressured: 0.5, level: 'LOW' },
  { backpressured: 0.5001, level: 'HIGH' },
])
  test(`${backpressured} backpressured is ${level}`, () => {
    assert.equal(operatorRows(plan, [report('orders/orders', { backpressured })])[0]?.level, level);
  });

test('an operator that holds others back and has not returned at all is named too', () => {
  const rows = operatorRows(plan, [
    report('orders/orders', { kind: 'kafka', backpressured: 1 }),
    report('enrich/lookup', { busy: 1, inPerSecond: 0 }),
  ]);
  assert.equal(rows[1]?.culprit, 'limits the flow: its function has not returned');
});

test('no operator is blamed if none is blocked', () => {
  const rows = operatorRows(plan, [report('orders/orders', { kind: 'kafka' }), report('enrich/lookup', { busy: 1 })]);
  assert.deepEqual(
    rows.map(({ culprit }) => culprit),
    [undefined, undefined],
  );
});

test('the history has a point a second for five minutes, and forgets operators that are gone', () => {
  const history = new BackpressureHistory();
  const operators = [report('orders/orders', { backpressured: 0.5 }), report('enrich/lookup')];
  for (let second = 0; second < 400; second++) history.update(plan, { at: second, operators, thread: 0.3 });
  assert.deepEqual(
    history.part('0').history.map(({ points }) => points.length),
    [300, 300],
  );
  history.update(plan, { at: 400, operators: [report('enrich/lookup')], thread: 0.3 });
  assert.deepEqual(
    history.part('0').history.map(({ id }) => id),
    ['enrich/lookup'],
  );
});
