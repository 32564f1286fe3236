// What a view keeps of large rows and long texts, and its captions about it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { aTable, Client, Rig, row } from './rig.ts';

const megabyte = 1024 * 1024;
const heavy = (n: number) => ({ ...row(n), size: 3 * megabyte });

test('a display keeps 8 MB of rows, and its caption says why it shows fewer', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [{ ...aTable, rows: 100 }]);
  client.hello('a');
  for (let n = 1; n <= 11; n++) {
    rig.rows('a/0', [heavy(n)]);
    rig.pass(1000);
  }
  const fresh = new Client(rig, 'fresh');
  fresh.hello('a');
  for (const { parts } of [client, fresh]) {
    const part = parts[0]!;
    assert.ok(part.kind === 'table');
    assert.deepEqual(
      part.rows.map(({ n }) => n),
      [10, 11],
    );
    assert.deepEqual(part.caption.pieces, ['showing the newest 2, because the rows are large']);
  }
});

test('a row beyond 8 MB is kept alone', () => {
  const rig = new Rig();
  rig.shows('a', [{ ...aTable, rows: 100 }]);
  rig.rows('a/0', [row(1), { ...row(2), size: 20 * megabyte }]);
  const client = new Client(rig);
  client.hello('a');
  assert.deepEqual(client.numbers(), [2]);
});

test('remembered frames hold 8 MB of rows; a client that missed more gets a snapshot', () => {
  const rig = new Rig();
  const [watching, away] = [new Client(rig), new Client(rig, 'c2')];
  rig.shows('a', [{ ...aTable, rows: 100 }]);
  watching.hello('a');
  away.hello('a');
  rig.pass(1000);
  away.isReady = false;
  for (let n = 1; n <= 6; n++) {
    rig.rows('a/0', [heavy(n)]);
    rig.pass(1000);
  }
  away.isReady = true;
  rig.pass(1000);
  assert.equal(away.messages.at(-1)?.type, 'snapshot');
  assert.deepEqual(away.numbers(), [5, 6]);
  assert.deepEqual(
    watching.types().slice(1),
    Array.from({ length: watching.messages.length - 1 }, () => 'delta'),
  );
});

test('a window that ends at an invalid date does not spoil the caption', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  rig.rows('a/0', [row(1, { windowEnd: new Date(5000) }), row(2, { windowEnd: new Date(NaN) })]);
  client.hello('a');
  const part = client.parts[0];
  assert.ok(part?.kind === 'table');
  assert.deepEqual(part.caption.pieces, ['windows to ', { time: 5000 }]);
});

test('the texts of a log and of an error are cut, and say so', () => {
  const rig = new Rig();
  const client = new Client(rig);
  const long = 'x'.repeat(1_000_000);
  const cell = { id: 'a', text: '', version: 1, armed: [], deleted: false } as const;
  rig.store.log('a', [{ level: 'log', at: 0, text: long }], 0);
  rig.store.showErrors({ ...cell, error: { code: 'x', message: long, stack: [long] } });
  client.hello('a');
  const [error, log] = client.parts;
  const cut = `${'x'.repeat(10_000)}… (1,000,000 characters)`;
  assert.ok(error?.kind === 'error' && log?.kind === 'log');
  assert.deepEqual([error.message, error.stack, log.lines[0]?.text], [cut, [cut], cut]);
});
