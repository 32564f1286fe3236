// A cell in a client: its phase, its metrics, the operator that backpressures it, and the reason
// why it has no rows.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan, PlanNode } from '../../../engine/graph/plan.ts';
import type { OperatorReport } from '../../executor/executor-protocol.ts';
import type { CellState } from '../../protocol/messages.ts';
import { rejections } from '../../session/rejections.ts';
import { sessionView } from '../../session/session-view.ts';
import { graph, liveSource, report } from './reports.ts';
import { Stage } from './stage.ts';

const at = (clock: string): number => Date.parse(`2024-05-01T${clock}Z`);
const chain = graph(
  ['orders/source:kafka', 'totals/window:aggregate', 'display/totals/0:display'],
  ['orders/source > totals/window', 'totals/window > display/totals/0'],
);

function seen(
  plan: Plan,
  operators: readonly OperatorReport[],
  cell: string,
  now = at('10:02:50'),
  port = 'out',
): CellState {
  const stage = new Stage();
  stage.document({ orders: 'orders$ = ', totals: 'totals$ = orders$', chart: ' = totals$' });
  stage.ready();
  for (const id of ['orders', 'totals', 'chart']) stage.runs(id);
  const edges = plan.edges.map((edge) => (edge.to === 'display/totals/0' ? { ...edge, port } : edge));
  const display = {
    install: { display: 'chart/0', cell: 'chart', part: 0, instance: 'display/totals/0', keep: false, installed: 1 },
    label: { cell: 'chart', stream: 'totals', isOneOfSeveral: false },
  };
  const state = {
    ...{ ...stage.state, plan: { ...plan, edges }, displays: [display] },
    metrics: { at: now, operators, thread: 0.5 },
  };
  const view = sessionView(state, { now, hasView: (id) => id === 'chart', zone: 'UTC' });
  return view.cells.find(({ id }) => id === cell)!;
}

for (const { phase, source, window, because } of [
  { phase: 'connecting', source: { phase: 'connecting' }, window: {}, because: 'the source has had no contact' },
  { phase: 'waiting', source: { phase: 'live' }, window: {}, because: 'contact, and no record yet' },
  { phase: 'live', source: { phase: 'live' }, window: { recordsIn: 1 }, because: 'a record came' },
  {
    phase: 'live',
    source: { phase: 'connecting' },
    window: { recordsIn: 1 },
    because: 'a broken contact takes nothing back',
  },
  {
    phase: 'finished',
    source: { phase: 'finished' },
    window: { recordsIn: 9, finished: true },
    because: 'all has come out',
  },
] as const)
  test(`a cell is ${phase}: ${because}`, () => {
    const operators = [
      report('orders/source', { source: { ...liveSource, ...source } }),
      report('totals/window', window),
    ];
    assert.equal(seen(chain, operators, 'totals').phase, phase);
  });

test('a cell whose streams nothing reaches is defined', () => {
  assert.equal(seen(graph([], []), [], 'orders').phase, 'defined');
});

test('a cell that only shows what another one defines has that one’s phase and figures', () => {
  const operators = [
    report('orders/source', { source: liveSource, outPerSecond: 100 }),
    report('totals/window', { recordsIn: 9, recordsOut: 3, outPerSecond: 0.5 }),
  ];
  const cell = seen(chain, operators, 'chart');
  assert.equal(cell.phase, 'live');
  assert.deepEqual([cell.rows, cell.outPerSecond, cell.hasView], [3, 0.5, true]);
  assert.deepEqual([cell.stream, cell.inPerSecond], ['totals', undefined], 'it takes nothing in');
});

test('what a cell shows of a side output has figures of its own', () => {
  const operators = [
    report('orders/source', { source: liveSource, outPerSecond: 100 }),
    report('totals/window', { recordsIn: 9, recordsOut: 3, outPerSecond: 0.5, late: 4 }),
    report('display/totals/0', { recordsIn: 4, inPerSecond: 2 }),
  ];
  const cell = seen(chain, operators, 'chart', at('10:02:50'), 'late');
  assert.deepEqual([cell.rows, cell.outPerSecond], [4, 2]);
});

test('records enter a cell at its sources and where it reads others', () => {
  const plan = graph(
    ['orders/source:kafka', 'totals/map', 'totals/window:aggregate'],
    ['orders/source > totals/map', 'totals/map > totals/window'],
  );
  const operators = [
    report('orders/source', { source: liveSource, recordsIn: 0, outPerSecond: 100, inPerSecond: 0 }),
    report('totals/map', { inPerSecond: 100, outPerSecond: 90 }),
    report('totals/window', { inPerSecond: 90, outPerSecond: 2, late: 7 }),
  ];
  assert.equal(seen(plan, operators, 'orders').inPerSecond, 100);
  const totals = seen(plan, operators, 'totals');
  assert.deepEqual([totals.inPerSecond, totals.outPerSecond, totals.late], [100, 2, 7]);
});

test('copies that late cells read are no part of the figures of the cell they are copied from', () => {
  const plan = graph(
    ['orders/source:kafka', 'orders/source~1:kafka', 'totals/window:aggregate'],
    ['orders/source~1 > totals/window'],
  );
  const nodes = plan.nodes.map((node): PlanNode => (node.id.endsWith('~1') ? { ...node, copy: true } : node));
  const operators = [
    report('orders/source', { source: liveSource, recordsOut: 9, outPerSecond: 1 }),
    report('orders/source~1', { source: liveSource, recordsOut: 5, outPerSecond: 100 }),
    report('totals/window', { recordsIn: 5, inPerSecond: 100 }),
  ];
  const cell = seen({ ...plan, nodes }, operators, 'orders');
  assert.deepEqual([cell.inPerSecond, cell.outPerSecond, cell.rows], [1, 1, 9]);
  const alone = nodes.filter(({ id }) => id !== 'orders/source');
  assert.equal(
    seen({ ...plan, nodes: alone }, operators, 'orders').phase,
    'live',
    'when only the copy is left, it counts',
  );
});

const window = { entries: 1, nextWindow: { start: at('10:02:00'), end: at('10:03:00') } };
const partition = (name: string, clock: string | undefined, silent: number) => ({
  partition: name,
  idle: false,
  silentMillis: silent * 1000,
  ...(clock !== undefined && { watermark: at(clock) }),
});

test('an empty window shows the watermark that it waits for', () => {
  const operators = [
    report('orders/source', { source: liveSource }),
    report('totals/window', { recordsIn: 5, watermark: at('10:02:41'), status: window }),
  ];
  const reason = 'no window has closed: watermark 10:02:41, first window ends 10:03:00';
  assert.equal(seen(chain, operators, 'totals').reason, reason);
  assert.equal(seen(chain, operators, 'chart').reason, reason);
});

test('times of another day carry their date', () => {
  const operators = [
    report('orders/source', { source: liveSource }),
    report('totals/window', { recordsIn: 5, watermark: Date.parse('2018-01-30T14:18:21Z'), status: window }),
  ];
  assert.match(
    seen(chain, operators, 'totals').reason ?? '',
    /watermark 2018-01-30 14:18:21, first window ends 10:03:00/,
  );
});

test('a partition that is silent and holds time back is named', () => {
  const partitions = [partition('0', '10:05:00', 0), partition('3', '10:02:10', 41)];
  const operators = [
    report('orders/source', { name: 'orders', source: { ...liveSource, partitions } }),
    report('totals/window', { recordsIn: 5, recordsOut: 2, watermark: at('10:02:10'), status: window }),
  ];
  assert.equal(
    seen(chain, operators, 'totals').reason,
    'waiting: partition orders[3] has been silent for 41 s; the window 10:02:00–10:03:00 needs ≥ 10:03:00',
  );
});

test('a partition that has records and is far behind the others is named, with the difference', () => {
  const named = (clocks: readonly (string | undefined)[], recordsOut = 2): string | undefined => {
    const partitions = clocks.map((clock, index) => partition(String(index), clock, 0));
    const operators = [
      report('orders/source', { name: 'orders', source: { ...liveSource, partitions } }),
      report('totals/window', { recordsIn: 5, recordsOut, watermark: at('09:05:00'), status: window }),
    ];
    return seen(chain, operators, 'totals').reason;
  };
  const text =
    'waiting: partition orders[1] is 1 h behind partition orders[0]; the window 10:02:00–10:03:00 needs ≥ 10:03:00';
  assert.equal(named(['10:05:00', '09:05:00', '10:04:00']), text);
  assert.equal(named(['10:05:00', '09:05:00', '09:06:00']), text, 'also when another one is behind, too');
  assert.equal(named(['10:05:00', '09:05:00'], 0), text, 'also before the first window has fired');
  assert.equal(named(['10:02:30', '09:05:00']), undefined, 'no partition has passed the end of the window');
  assert.equal(named(['10:03:10', '09:58:20']), undefined, 'some minutes are no reason');
});

test('a source of one partition that is far behind another source is named', () => {
  const plan = graph(
    ['orders/source:kafka', 'orders/other:kafka', 'totals/window:aggregate'],
    ['orders/source > totals/window', 'orders/other > totals/window'],
  );
  const source = (name: string, clock: string): OperatorReport =>
    report(`orders/${name}`, { source: { ...liveSource, partitions: [partition('0', clock, 0)] } });
  const operators = [
    source('source', '10:30:10'),
    source('other', '10:02:40'),
    report('totals/window', { recordsIn: 5, recordsOut: 2, watermark: at('10:02:40'), status: window }),
  ];
  assert.match(seen(plan, operators, 'totals').reason!, /^waiting: other is 27 min 30 s behind source; the window /);
});

for (const { title, partitions } of [
  {
    title: 'a partition that was taken out as idle',
    partitions: [{ ...partition('3', '10:02:10', 41), idle: true }, partition('0', '10:02:30', 0)],
  },
  {
    title: 'a partition that spoke a moment ago',
    partitions: [partition('3', '10:02:10', 2), partition('0', '10:02:30', 0)],
  },
  {
    title: 'a silent partition that is ahead',
    partitions: [partition('3', '10:04:00', 41), partition('0', '10:02:30', 0)],
  },
])
  test(`${title} is not blamed`, () => {
    const operators = [
      report('orders/source', { name: 'orders', source: { ...liveSource, partitions } }),
      report('totals/window', { recordsIn: 5, recordsOut: 2, watermark: at('10:02:10'), status: window }),
    ];
    assert.equal(seen(chain, operators, 'totals').reason, undefined);
  });

test('a window that has fired before needs no explanation while time goes on', () => {
  const operators = [
    report('orders/source', { source: liveSource }),
    report('totals/window', { recordsIn: 5, recordsOut: 1, watermark: at('10:02:41'), status: window }),
  ];
  assert.equal(seen(chain, operators, 'totals').reason, undefined);
});

test('a copy that reads its own history shows its progress', () => {
  const plan = graph(
    ['orders/source:kafka', 'orders/source~1:kafka', 'totals/window:aggregate'],
    ['orders/source~1 > totals/window'],
  );
  const operators = [
    report('orders/source', { source: liveSource, watermark: at('10:02:41') }),
    report('orders/source~1', { source: liveSource, watermark: at('09:12:00') }),
    report('totals/window', { recordsIn: 5 }),
  ];
  assert.equal(seen(plan, operators, 'totals').reason, 'catching up: 09:12:00 of 10:02:41');
});

test('a sink that cannot write says what, why and since when, also beside a display', () => {
  const plan = graph(
    ['totals/sum:generate', 'totals/to:kafkaSink', 'display/totals/0:display'],
    ['totals/sum > totals/to', 'totals/sum > display/totals/0'],
  );
  const status = { entries: 0, inFlight: 3, waiting: 'orders[2] has no leader', waitingSince: at('10:02:41') };
  const operators = [
    report('totals/sum'),
    report('totals/to', { kind: 'kafkaSink', status }),
    report('display/totals/0'),
  ];
  const sentence = 'orders[2] has no leader; since 10:02:41';
  assert.equal(seen(plan, operators, 'totals').trouble, sentence);
  const alone = graph(['totals/sum:generate', 'totals/to:kafkaSink'], ['totals/sum > totals/to']);
  assert.equal(seen(alone, operators, 'totals').reason, sentence);
  const well = [report('totals/sum'), report('totals/to', { kind: 'kafkaSink', status: { entries: 0 } })];
  assert.deepEqual([seen(plan, well, 'totals').trouble, seen(alone, well, 'totals').reason], [undefined, undefined]);
});

test('a note of an operator is a note of its cell', () => {
  const plan = graph(['totals/to:kafkaSink'], []);
  const operators = [report('totals/to', { kind: 'kafkaSink', status: { entries: 0, note: 'rows are too old' } })];
  assert.deepEqual(seen(plan, operators, 'totals').notes, ['rows are too old']);
});

test('a cell that is held back names the other cell, or the operator of its own, with its own level', () => {
  const plan = graph(
    ['orders/source:kafka', 'totals/tidy', 'totals/enrich', 'totals/out'],
    ['orders/source > totals/tidy', 'totals/tidy > totals/enrich', 'totals/enrich > totals/out'],
  );
  const operators = [
    report('orders/source', { source: liveSource, backpressured: 0.75 }),
    report('totals/tidy', { backpressured: 0.4, busy: 0.2 }),
    report('totals/enrich', { busy: 1 }),
    report('totals/out', { busy: 0.3 }),
  ];
  assert.equal(seen(plan, operators, 'orders').heldBack, 'held back by totals (HIGH)');
  assert.equal(seen(plan, operators, 'totals').heldBack, 'held back by enrich (LOW)');
});

test('cells with a taken id are listed with their error, at their place', () => {
  const s = new Stage();
  const cells = ['a', 'a', 'b'].map((id) => ({ id, kind: 'code', text: '' }) as const);
  s.event({
    kind: 'sync',
    cells: [...cells.slice(0, 2), { id: 'p', kind: 'markdown', text: '# hi' }, ...cells.slice(2)],
  });
  const view = sessionView(s.state, { now: 0, hasView: () => false });
  assert.deepEqual(
    view.cells.map(({ id, errors }) => [id, errors.map(({ code }) => code)]),
    [
      ['a', []],
      ['a', ['duplicate-cell-id']],
      ['b', []],
    ],
  );
});

test('a snapshot that never completes is shown with the operator that holds it, in the session and under its cell', () => {
  for (const { millis, warning } of [
    { millis: 4_000, warning: undefined },
    {
      millis: 12_400,
      warning: 'no snapshot for 12 s: it waits for flatMap of totals. A crash would take the session back by as much',
    },
  ]) {
    const stage = new Stage();
    stage.document({ orders: 'orders$ = ', totals: 'totals$ = orders$' });
    stage.ready();
    for (const id of ['orders', 'totals']) stage.runs(id);
    const snapshotWaits = { cell: 'totals', operator: 'flatMap', millis };
    stage.event({ kind: 'metrics', at: 0, operators: [], thread: 0, snapshotWaits });
    const view = sessionView(stage.state, { now: 0, hasView: () => false });
    const notes = new Map(view.cells.map(({ id, notes }) => [id, notes]));
    assert.equal(view.warning, warning);
    assert.deepEqual([notes.get('orders'), notes.get('totals')], [[], warning === undefined ? [] : [warning]]);
    stage.event({ kind: 'metrics', at: 1000, operators: [], thread: 0 });
    assert.equal(sessionView(stage.state, { now: 0, hasView: () => false }).warning, undefined);
  }
});

test('a cell shows the rejected records of its source: how many of how many, and the first problem', () => {
  const source = { ...liveSource, errors: 2, emitted: 1_998, firstRejection: 'orders[3]@7 is not JSON.' };
  const cells = (cell: string): CellState =>
    seen(chain, [report('orders/source', { name: 'orders', recordsOut: 5, source }), report('totals/window')], cell);
  assert.deepEqual(cells('orders').rejected, [
    { text: '2 of 2,000 records of orders were rejected so far', first: 'orders[3]@7 is not JSON.' },
  ]);
  assert.equal('rejected' in cells('totals'), false, 'the cell that defines the source says it');
});

test('a source without rejected records shows nothing, and copies of a source count once', () => {
  const clean = seen(chain, [report('orders/source', { source: liveSource })], 'orders');
  assert.equal('rejected' in clean, false);
  const copy = (lane: string, errors: number): OperatorReport =>
    report(`orders/source~${lane}`, { name: 'orders', source: { ...liveSource, errors, emitted: 0 } });
  assert.deepEqual(rejections([copy('a', 1), copy('b', 3), copy('c', 2)]), [
    { text: '3 of 3 records of orders were rejected so far' },
  ]);
});

test('of copies with the same rejected records the one that has read most counts, also when it has ended', () => {
  const copy = (lane: string, emitted: number): OperatorReport =>
    report(`orders/source~${lane}`, {
      name: 'orders',
      source: { ...liveSource, phase: 'finished', errors: 1, emitted },
    });
  const text = '1 of 2 records of orders was rejected';
  assert.deepEqual(rejections([copy('a', 0), copy('b', 1)]), [{ text }]);
  assert.deepEqual(rejections([copy('b', 1), copy('a', 0)]), [{ text }]);
});

test('the trouble of a source is named before the silence of its partitions, and under the cell of the source', () => {
  const partitions = [
    { partition: '0', watermark: at('10:05:00'), idle: false, silentMillis: 1_000 },
    { partition: '1', watermark: at('10:00:30'), idle: false, silentMillis: 139_000 },
  ];
  const status = { entries: 1, nextWindow: { start: at('10:00:00'), end: at('10:01:00') } };
  const reports = (trouble?: string): OperatorReport[] => [
    report('orders/source', {
      recordsOut: 10,
      source: { ...liveSource, partitions, ...(trouble !== undefined && { trouble }) },
    }),
    report('totals/window', { recordsIn: 10, watermark: at('10:00:30'), status }),
    report('display/totals/0'),
  ];
  const silent = seen(chain, reports(), 'chart');
  assert.match(silent.reason!, /partition source\[1\] has been silent for 139 s/);
  assert.equal(seen(chain, reports(), 'orders').trouble, undefined);
  const trouble = 'orders[1] waits for an open transaction that begins at offset 7 (since 10:00:31)';
  assert.equal(seen(chain, reports(trouble), 'chart').reason, trouble);
  assert.equal(seen(chain, reports(trouble), 'chart').trouble, undefined, 'the line is that of the source alone');
  assert.equal(seen(chain, reports(trouble), 'orders').trouble, trouble);
});

test('a cell says which format its source found, unless it is JSON', () => {
  const notes = (format?: string): readonly string[] => {
    const source = { ...liveSource, ...(format !== undefined && { format }) };
    return seen(chain, [report('orders/source', { name: 'orders', source })], 'orders').notes;
  };
  assert.deepEqual(notes('Avro (schema registry)'), ['orders is Avro (schema registry), as its first records show']);
  assert.deepEqual(notes('text'), ['orders is text, as its first records show']);
  assert.deepEqual(notes('JSON'), []);
  assert.deepEqual(notes(), []);
});

test('the lag is under the cell that defines the source', () => {
  const partitions = [{ partition: '0', idle: false, lag: 1_200, lagMillis: 35_000 }];
  const operators = [report('orders/source', { source: { ...liveSource, partitions } }), report('totals/window')];
  assert.equal(seen(chain, operators, 'orders').lag, 'lag 1.2 k (35 s)');
  assert.equal('lag' in seen(chain, operators, 'totals'), false);
});
