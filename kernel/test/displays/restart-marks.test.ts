// The marks of restarts on charts and tables.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { aChart, aTable, Client, Rig, row } from './rig.ts';

test('after a restoration a chart has a mark at its first new row, also for a client that comes later and for the next restoration', () => {
  const rig = new Rig();
  const client = new Client(rig);
  const restart = { at: 12_000, from: 11_000 };
  const marks = (shown: Client): unknown => shown.parts.map((part) => (part.kind === 'chart' ? part.restarts : 'none'));
  rig.shows('a', [aChart]);
  client.hello('a');
  rig.rows('a/0', [row(1, { at: 1, v: 1 })]);
  rig.pass(1000);
  rig.store.rewind(rig.store.save(), restart);
  rig.pass(1000);
  assert.deepEqual(marks(client), [undefined], 'no row has come yet');
  assert.deepEqual(
    client.parts.map((part) => 'caption' in part && part.caption.pieces),
    [['restarted ', { time: 12_000 }]],
  );
  rig.rows('a/0', [row(2, { at: 2, v: 1 })]);
  rig.rows('a/0', [row(3, { at: 3, v: 1 })]);
  rig.pass(1000);
  const mark = { ...restart, row: { n: 2, t: 2_000, value: { at: 2, v: 1 } } };
  assert.deepEqual(marks(client), [[mark]]);
  assert.deepEqual(client.numbers(), [1, 2, 3]);
  const saved = rig.store.save();
  rig.store.rewind(saved, { at: 20_000 });
  rig.rows('a/0', [row(4, { at: 4, v: 1 })]);
  const late = new Client(rig, 'late');
  late.hello('a');
  assert.deepEqual(marks(late), [[mark, { at: 20_000, row: { n: 4, t: 4_000, value: { at: 4, v: 1 } } }]]);
});

test('a display that had no rows before a restoration has no mark', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable, aChart]);
  client.hello('a');
  rig.store.rewind(new Map(), { at: 12_000 });
  for (const display of ['a/0', 'a/1']) rig.rows(display, [row(1)]);
  rig.pass(1000);
  for (const part of client.parts) assert.deepEqual('caption' in part && part.caption.pieces, []);
});
