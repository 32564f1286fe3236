// Scripts of tables: toTable, map, filter, join of two tables, toStream. A delete is a filtered row
// or null.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Stream, Table } from '../../index.ts';
import { harness, runScript } from '../../testing/index.ts';

interface Row {
  readonly k: string;
  readonly v: number | null;
}
/** A row whose v is null is no row: a tombstone. */
const alive = (rows: Stream<Row>): Table<Row, Pick<Row, 'k'>> =>
  rows
    .keyBy('k')
    .toTable()
    .filter((row) => row.v !== null);
test('a keyed stream as a table: the last row of each key, as it arrives', () => {
  runScript(
    (rows: Stream<Row>) => rows.keyBy('k').toTable().toStream(),
    `
    >: k v
    <: time kind row former
    > 00:10 a 1
    < 00:10 insert {"k":"a","v":1} -
    > 00:12 a 2
    < 00:12 update {"k":"a","v":2} {"k":"a","v":1}
    > 00:05 a 3                        earlier, but it arrives later
    < 00:05 update {"k":"a","v":3} {"k":"a","v":2}
    > 00:06 a 3                        the same again is an update again
    < 00:06 update {"k":"a","v":3} {"k":"a","v":3}
    > 00:06 b 4
    < 00:06 insert {"k":"b","v":4} -
    | end
    = 2                                the rows of the table
    `,
  );
});

test('a filter inserts, updates and deletes', () => {
  runScript(
    (rows: Stream<Row>) => alive(rows).toStream(),
    `
    >: k v
    <: time kind row former
    > 00:10 a null                     it was never there
    > 00:11 a 1
    < 00:11 insert {"k":"a","v":1} -
    > 00:12 a 2
    < 00:12 update {"k":"a","v":2} {"k":"a","v":1}
    > 00:13 a null
    < 00:13 delete {"k":"a","v":2} {"k":"a","v":2}   of a row that has gone, the last one
    > 00:14 a null
    > 00:15 a 3
    < 00:15 insert {"k":"a","v":3} -
    | end
    = 1
    `,
  );
});

test('a map to null deletes, as a tombstone does', () => {
  runScript(
    (rows: Stream<Row>) =>
      rows
        .keyBy('k')
        .toTable()
        .map((row) => row.v)
        .toStream(),
    `
    >: k v
    <: time kind row former
    > 00:10 a 1
    < 00:10 insert 1 -
    > 00:11 a null
    < 00:11 delete 1 1
    > 00:12 a 0
    < 00:12 insert 0 -
    | end
    = 1
    `,
  );
});

const joined = (kind: 'inner' | 'left' | 'outer') => (left: Stream<Row>, right: Stream<Row>) =>
  alive(left)
    .join(alive(right), kind)
    .select((l, r) => `${l?.v ?? 'none'}+${r?.v ?? 'none'}`)
    .toStream();

test('an inner join has a row where both sides have one', () => {
  runScript(
    joined('inner'),
    `
    >L: k v
    >R: k v
    <: time kind row former
    >L 00:10 a 1
    >R 00:05 a 10
    < 00:10 insert 1+10 -   the later time of the two
    >L 00:12 a 2
    < 00:12 update 2+10 1+10
    >R 00:20 a 20
    < 00:20 update 2+20 2+10
    >L 00:13 a 3
    < 00:20 update 3+20 2+20
    >L 00:30 a null
    < 00:30 delete 3+20 3+20
    >R 00:31 a 30                      nobody on the left
    >L 00:25 a 4
    < 00:31 insert 4+30 -
    >R 00:32 a null
    < 00:32 delete 4+30 4+30
    >R 00:33 a null
    >L 00:34 a null
    | end
    = 2                                the join keeps nothing; in front of the filters stands a row on each side
    `,
  );
});

test('a left join has a row where the left side has one', () => {
  runScript(
    joined('left'),
    `
    >L: k v
    >R: k v
    <: time kind row former
    >R 00:05 a 10
    >R 00:06 a null
    >L 00:10 a 1
    < 00:10 insert 1+none -
    >R 00:05 a 10
    < 00:10 update 1+10 1+none
    >R 00:20 a null
    < 00:20 update 1+none 1+10
    >R 00:21 b 7
    >L 00:22 b 8
    < 00:22 insert 8+7 -
    >L 00:30 a null
    < 00:30 delete 1+none 1+none
    >L 00:31 a null
    >L 00:32 b null
    < 00:32 delete 8+7 8+7
    | end
    = 5                                four in front of the filters, and b of the right side in the join
    `,
  );
});

test('an outer join has a row where one side has one', () => {
  runScript(
    joined('outer'),
    `
    >L: k v
    >R: k v
    <: time kind row former
    >R 00:05 a 10
    < 00:05 insert none+10 -
    >L 00:10 a 1
    < 00:10 update 1+10 none+10
    >R 00:20 a null
    < 00:20 update 1+none 1+10
    >L 00:15 a null
    < 00:15 delete 1+none 1+none   alone: its own time
    >L 00:16 a null
    >R 00:17 a 11
    < 00:17 insert none+11 -
    >R 00:18 a null
    < 00:18 delete none+11 none+11
    | end
    = 2
    `,
  );
});

test('a select that gives null gives no row', () => {
  runScript(
    (left: Stream<Row>, right: Stream<Row>) =>
      alive(left)
        .join(alive(right))
        .select((l, r) => (l!.v === r!.v ? l : null))
        .toStream(),
    `
    >L: k v
    >R: k v
    <: time kind row former
    >L 00:10 a 1
    >R 00:11 a 1
    < 00:11 insert {"k":"a","v":1} -
    >R 00:12 a 2
    < 00:12 delete {"k":"a","v":1} {"k":"a","v":1}
    >L 00:13 a 2
    < 00:13 insert {"k":"a","v":2} -
    | end
    = 4
    `,
  );
});

test('tables are joined by the values of their keys, whatever the names of the fields, and the result is a table', () => {
  runScript(
    (left: Stream<Row>, right: Stream<{ id: string; w: number }>) =>
      left
        .keyBy((row) => ({ key: row.k }))
        .toTable()
        .join(right.keyBy('id').toTable(), 'outer')
        .select((l, r) => ({ sum: (l?.v ?? 0) + (r?.w ?? 0) }))
        .filter(({ sum }) => sum > 1)
        .map(({ sum }) => sum * 10)
        .toStream(),
    `
    >L: k v
    >R: id w
    <: time kind row former
    >L 00:10 a 1
    >R 00:11 a 2
    < 00:11 insert 30 -
    >L 00:12 a 3
    < 00:12 update 50 30
    >R 00:13 a -9
    < 00:13 delete 50 50
    | end
    = 4
    `,
  );
});

test('a row that is no data is refused where it would be kept', () => {
  class Money {
    readonly amount = 1;
  }
  const driven = harness((rows: Stream<{ k: string }>) =>
    rows
      .map((row) => ({ ...row, money: new Money() }))
      .keyBy('k')
      .toTable()
      .toStream(),
  );
  assert.throws(() => driven.element({ k: 'a' }), /A row of table "toTable", at money, is an object of class Money/);
  driven.close();
});
