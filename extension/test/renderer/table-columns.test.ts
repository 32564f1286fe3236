// Columns of a table: found in the rows, typed by their values, and kept when rows change.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { WireRow } from '../../../kernel/protocol/displays.ts';
import { toWire } from '../../../kernel/protocol/values.ts';
import { readRow, TableColumns } from '../../renderer/table-columns.ts';

const now = new Date(2024, 4, 6, 12, 4, 12).getTime();
const read = (value: unknown, more: Partial<WireRow> = {}) => readRow({ n: 1, t: now, value, ...more });

function drawn(columns: TableColumns, row: ReturnType<typeof read>): readonly string[] {
  return columns.columns.map((column) => columns.cell(column, row).text);
}

test('time and place come first, then the fields in the order they first appeared', () => {
  const columns = new TableColumns();
  columns.learn([read({ id: 'o-1' }), read({ amount: 1, id: 'o-2' }, { partition: 3, offset: 188_204 })], now);
  assert.deepEqual(
    columns.columns.map(({ name }) => name),
    ['time', 'partition:offset', 'id', 'amount'],
  );
  assert.deepEqual(drawn(columns, read({ amount: 2, id: 'o-2' }, { partition: 3, offset: 188_204 })), [
    '12:04:12.000',
    '3:188,204',
    'o-2',
    '2',
  ]);
});

test('numbers are aligned right at their points; a column of mixed types is aligned left', () => {
  const columns = new TableColumns();
  columns.learn([read({ amount: 41.2, mixed: 1 }), read({ amount: 812, mixed: 'x' })], now);
  const [, amount, mixed] = columns.columns;
  assert.deepEqual([amount?.alignsRight, mixed?.alignsRight], [true, false]);
  assert.equal(drawn(columns, read({ amount: 812 }))[1], '812.0');
});

test('a column has one number of decimals, and a tiny number is not written as zero', () => {
  const columns = new TableColumns();
  const rows = [{ v: 12_040.25 }, { v: 1e-9 }, { v: 0 }, { v: -3 }].map((value) => read(value));
  columns.learn(rows, now);
  assert.deepEqual(
    rows.map((row) => drawn(columns, row)[1]),
    ['12,040.25', '1e-9', '0.00', '-3.00'],
  );
  assert.equal(columns.cell(columns.columns[1]!, rows[0]!).title, '12040.25');
  const whole = new TableColumns();
  whole.learn([read({ n: 1_204_118 })], now);
  assert.equal(drawn(whole, read({ n: 1_204_118 }))[1], '1,204,118');
});

test('a row that lacks a field has no value in its column, although every object inherits the name', () => {
  const columns = new TableColumns();
  const rows: readonly unknown[] = [JSON.parse('{"__proto__": "own", "constructor": 1, "toString": 2}'), { v: 3 }];
  columns.learn(
    rows.map((row) => read(toWire(row))),
    now,
  );
  assert.deepEqual(
    columns.columns.slice(1).map(({ name }) => name),
    ['__proto__', 'constructor', 'toString', 'v'],
  );
  assert.deepEqual(drawn(columns, read(toWire(rows[0]))).slice(1), ['own', '1', '2', '']);
  assert.deepEqual(drawn(columns, read(toWire(rows[1]))).slice(1), ['', '', '', '3']);
});

test('a row that cannot be decoded shows the reason, and the other rows stay', () => {
  const columns = new TableColumns();
  const rows = [read({ v: 1 }), read({ $bigint: 'x' }), read({ v: 2 })];
  columns.learn(rows, now);
  assert.deepEqual(
    rows.map((row) => drawn(columns, row).slice(1)),
    [
      ['1', ''],
      ['', 'cannot be shown: The tag $bigint is not known, or its value is malformed.'],
      ['2', ''],
    ],
  );
});

test('columns widen in steps and never shrink', () => {
  const columns = new TableColumns();
  assert.equal(columns.learn([read({ name: 'ann' })], now), true);
  const width = () => columns.columns[1]?.width ?? 0;
  const first = width();
  assert.equal(columns.learn([read({ name: 'bob' })], now), false);
  assert.equal(columns.learn([read({ name: 'maximilian the second' })], now), true);
  assert.equal(width(), 24);
  columns.learn([read({ name: 'x' })], now);
  assert.ok(width() > first);
});

test('a field is written by its type: dates in the zone of the user, bigint whole, bytes by their size', () => {
  const columns = new TableColumns();
  const value = {
    at: { $date: now + 1_000 },
    big: { $bigint: '9007199254740993' },
    raw: { $bytes: 'AAEC' },
    no: null,
    deep: { a: [1] },
  };
  columns.learn([read(value)], now);
  assert.deepEqual(drawn(columns, read(value)).slice(1), [
    '12:04:13',
    '9,007,199,254,740,993',
    '3 bytes',
    'null',
    '{ a: [1] }',
  ]);
});

test('a row of another day shows its day', () => {
  const columns = new TableColumns();
  columns.learn([read({ n: 1 })], now + 86_400_000);
  assert.equal(drawn(columns, read({ n: 1 }))[0], '2024-05-06 12:04:12.000');
});

test('a row that is not an object is one column', () => {
  const columns = new TableColumns();
  columns.learn([read('a'), read('b')], now);
  assert.deepEqual(
    columns.columns.map(({ name }) => name),
    ['time', 'value'],
  );
  assert.equal(drawn(columns, read('b'))[1], 'b');
});

test('fields named like the own columns stay fields', () => {
  const columns = new TableColumns();
  columns.learn([read({ time: 'noon', 'partition:offset': 'x' }, { partition: 0, offset: 1 })], now);
  assert.deepEqual(
    columns.columns.map(({ name }) => name),
    ['time', 'partition:offset', 'time', 'partition:offset'],
  );
});

test('the field of the event time has no column while it equals the event time', () => {
  const columns = new TableColumns();
  const at = (t: number, createdAt: unknown) => readRow({ n: 1, t, value: { createdAt, id: 1 } });
  columns.learn([at(now, { $date: now }), at(now + 1, new Date(now + 1).toISOString())], now);
  assert.deepEqual(
    columns.columns.map(({ name }) => name),
    ['time', 'id'],
  );
  columns.learn([at(now, { $date: now + 5 })], now);
  assert.deepEqual(
    columns.columns.map(({ name }) => name),
    ['time', 'id', 'createdAt'],
  );
});

test('a column of objects is wide enough for some fields, and a text is cut earlier', () => {
  const columns = new TableColumns([{ name: 'value', read: ({ value }) => value }]);
  columns.learn([read({ word: 'sleeps', frequency: 2, at: new Date(now), place: 'a long name of a place' })], now);
  const widthOf = (name: string) => columns.columns.find((column) => column.name === name)?.width;
  assert.equal(widthOf('value'), 76);
  columns.learn([read({ text: 'x'.repeat(100) })], now);
  assert.equal(widthOf('text'), 44);
});
