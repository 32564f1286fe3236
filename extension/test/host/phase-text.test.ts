// The texts of a cell's status bar in each phase, from the kernel's state.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CellState } from '../../../kernel/protocol/messages.ts';
import { statusTexts } from '../../session/phase-text.ts';
import { notificationText } from '../../session/plain-label.ts';

const state = (change: Partial<CellState>): CellState => ({
  id: 'totals',
  phase: 'live',
  edited: false,
  stale: [],
  notes: [],
  hasView: true,
  errors: [],
  ...change,
});
/** The texts without their icons, as one line. */
const line = (change: Partial<CellState>): string =>
  statusTexts(state(change), 'en')
    .map(({ text }) => text.replace(/^\$\([\w-]+\) /, ''))
    .join(' | ');

test('each phase has its words', () => {
  assert.equal(line({ phase: 'not-run' }), 'not run');
  assert.equal(line({ phase: 'starting' }), 'starting kernel');
  assert.equal(line({ phase: 'running' }), 'running');
  assert.equal(line({ phase: 'pulling', reason: 'waiting for 1 row of totals' }), 'waiting for 1 row of totals');
  assert.equal(line({ phase: 'defined', stream: 'orders' }), 'defined · orders');
  assert.equal(line({ phase: 'connecting', stream: 'orders' }), 'connecting · orders');
  assert.equal(line({ phase: 'waiting', stream: 'orders' }), 'waiting for the first record · orders');
  assert.equal(line({ phase: 'finished', stream: 'quakes', rows: 1707 }), 'finished · quakes (1,707 rows)');
  assert.equal(line({ phase: 'finished', rows: 1 }), 'finished (1 row)');
  assert.equal(line({ phase: 'failed', reason: 'orders has no field "amout"' }), 'failed: orders has no field "amout"');
});

test('a live cell shows its rates, its late elements and the operator that holds it back', () => {
  assert.equal(
    line({ stream: 'totals', inPerSecond: 18_240, outPerSecond: 412, late: 0, heldBack: 'held back by enrich (HIGH)' }),
    'live · totals | in 18.2 k/s  out 412/s  late 0 | held back by enrich (HIGH)',
  );
  assert.equal(
    line({ stream: 'orders', inPerSecond: 18_240, lag: 'lag 10.9 k (4 min 36 s)' }),
    'live · orders | in 18.2 k/s  lag 10.9 k (4 min 36 s)',
  );
});

test('the reason why no rows arrive comes last, because it is the longest text', () => {
  assert.equal(
    line({
      stream: 'totals',
      outPerSecond: 0,
      reason: 'no window has closed: watermark 10:02:41, first window ends 10:03:00',
    }),
    'live · totals | out 0/s | no window has closed: watermark 10:02:41, first window ends 10:03:00',
  );
});

test('edited and stale stand beside the phase, because the cell still runs', () => {
  assert.equal(line({ edited: true, stream: 'totals' }), 'live · totals | edited');
  assert.equal(line({ stale: ['rate', 'limit'], stream: 'totals' }), 'live · totals | stale: rate, limit changed');
});

test('the verb of a sink says what a click does, and its figures what it has done', () => {
  const of = (sink: NonNullable<CellState['sink']>) => statusTexts(state({ sink }), 'en').slice(1);
  const target = 'topic alerts';
  const obstacle = 'Topic "alerts" is not on 127.0.0.1:9092.';
  const preview = of({ armed: false, target, obstacle });
  assert.deepEqual(
    preview.map(({ text }) => text),
    ['$(circle-slash) Arm', 'nothing is written to topic alerts', `$(warning) ${obstacle}`],
  );
  assert.equal(preview[0]?.action, 'arm');
  const armed = of({ armed: true, target, written: 1204, acknowledged: '12:04:31' });
  assert.deepEqual(
    armed.map(({ text }) => text),
    ['$(record) Armed · Disarm', '1,204 rows written to topic alerts · last acknowledged 12:04:31'],
  );
  assert.equal(armed[0]?.action, 'disarm');
  assert.match(of({ armed: true, target, written: 1 })[1]!.text, /^1 row written to topic alerts$/);
});

test('an error that names a setting offers to open it', () => {
  const message = 'There is no Kafka connection. Set sluice.brokers to host:port of a broker.';
  const errors = [{ code: 'kafka-no-connection', message }];
  const opening = statusTexts(state({ phase: 'failed', errors })).find(({ setting }) => setting !== undefined);
  assert.equal(opening?.setting, 'sluice.brokers');
  assert.equal(opening?.text, '$(gear) Open Setting');
  const trouble = 'the address is from connection "prod" of the setting sluice.connections';
  assert.ok(statusTexts(state({ trouble })).some(({ setting }) => setting === 'sluice.connections'));
  const ofEnvironment = [{ code: 'kafka-no-connection', message: 'Set SLUICE_BROKERS to host:port of a broker' }];
  assert.ok(statusTexts(state({ errors: ofEnvironment })).every(({ setting }) => setting === undefined));
});

test('every state begins with an icon, so that colour is never the only sign', () => {
  for (const phase of [
    'not-run',
    'starting',
    'running',
    'pulling',
    'defined',
    'connecting',
    'waiting',
    'live',
    'stopped',
    'finished',
    'failed',
  ] as const)
    assert.match(statusTexts(state({ phase }))[0]!.text, /^\$\([\w-]+\) \S/);
});

test('a cell shows the rejected records of its source, and the first reason', () => {
  const rejected = [{ text: '2 of 4 records of orders were rejected', first: 'orders[3]@7 is not JSON.' }];
  assert.equal(line({ rejected }), 'live | 2 of 4 records of orders were rejected');
  const shown = statusTexts(state({ rejected }), 'en').find(({ text }) => text.includes('rejected'));
  assert.equal(shown?.tooltip, 'The first: orders[3]@7 is not JSON.');
});

test('an icon in a name is text; only the icon of the state is drawn', () => {
  const texts = statusTexts(
    state({
      stream: '$(error) s',
      reason: '$(pass) reason',
      heldBack: '$(zap) h',
      notes: ['a $(info) note'],
      sink: { armed: true, target: '$(trash) topic' },
    }),
    'en',
  ).map(({ text }) => text);
  assert.deepEqual(texts, [
    '$(circle-filled) live · \\$(error) s',
    '\\$(pass) reason',
    '$(triangle-up) \\$(zap) h',
    '$(record) Armed · Disarm',
    '0 rows written to \\$(trash) topic',
    '$(info) a \\$(info) note',
  ]);
});

test('a link in a notification is text', () => {
  const text = notificationText('[click](command:workbench.action.quit) [x] (y)');
  assert.doesNotMatch(text, /\]\(/);
  assert.equal(text.replaceAll('\u200b', ''), '[click](command:workbench.action.quit) [x] (y)');
});

test('a cell shows the number of rows that its display has left out', () => {
  const leftOut = '3 rows were left out';
  assert.equal(line({ leftOut }), 'live | 3 rows were left out');
  const shown = statusTexts(state({ leftOut }), 'en').find(({ text }) => text.includes('left out'));
  assert.match(shown?.tooltip ?? '', /cannot be shown/);
});

test('the status bar says what a sink cannot write, once', () => {
  const trouble = 'orders[2] has no leader';
  const count = (change: Partial<CellState>): number => line(change).split(trouble).length - 1;
  assert.deepEqual([count({ trouble }), count({ trouble, reason: trouble }), count({})], [1, 1, 0]);
});

test('a cell that keeps something says of what age the last checkpoint is, and its tooltip says the rest', () => {
  const now = 1_000_000_000;
  const last = { id: 7, takenAt: now - 14_000, bytes: 3_100_000, millis: 40 };
  const checkpoints = { completed: 7, failed: 2, last };
  const session = { cells: [], clients: 1, recordsPerSecond: 0, checkpoints };
  const shown = (change: Partial<CellState>) =>
    statusTexts(state(change), 'en', session, now).find(({ text }) => text.includes('checkpoint'));
  assert.equal(shown({ isKept: true })?.text, '$(save) checkpoint 14 s ago · 3.1 MB');
  assert.match(shown({ isKept: true })!.tooltip, /taken in 40 ms\. 7 complete, 2 failed\.$/);
  assert.ok(shown({ isKept: true, phase: 'failed' }), 'it goes on from there when it runs');
  assert.equal(shown({}), undefined);
  assert.equal(shown({ isKept: true, phase: 'finished' }), undefined);
});
