// Scripts of groupBy of a table: a row that moves leaves one group and enters another.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  aggregator,
  avg,
  collect,
  count,
  countDistinct,
  max,
  min,
  type Stream,
  sum,
  type Table,
  topN,
} from '../../index.ts';
import { harness, runScript } from '../../testing/index.ts';

interface User {
  readonly user: string;
  readonly region: string | null;
  readonly age?: number | null;
}
/** Without a region the user is gone. */
const users = (rows: Stream<User>): Table<User, Pick<User, 'user'>> =>
  rows
    .keyBy('user')
    .toTable()
    .filter((row) => row.region !== null);

test('users by region after a move are right, and a group without rows is deleted', () => {
  runScript(
    (rows: Stream<User>) => users(rows).groupBy('region').aggregate({ users: count() }).toStream(),
    `
    >: user region
    <: time kind row former
    > 00:01 ann eu
    < 00:01 insert {"region":"eu","users":1} -
    > 00:02 bob eu
    < 00:02 update {"region":"eu","users":2} {"region":"eu","users":1}
    > 00:03 ann us                     first out of eu, then into us
    < 00:03 update {"region":"eu","users":1} {"region":"eu","users":2}
    < 00:03 insert {"region":"us","users":1} -
    > 00:04 ann us                     the same again is an update again
    < 00:04 update {"region":"us","users":1} {"region":"us","users":1}
    > 00:03 bob null                   the last one of eu
    < 00:03 delete {"region":"eu","users":1} {"region":"eu","users":1}
    > 00:05 zoe null                   never there
    > 00:02 ann null                   late: the group has the latest time of its changes
    < 00:04 delete {"region":"us","users":1} {"region":"us","users":1}
    | end
    = 3                                what stands in front of the filter
    `,
  );
});

/** The values of a row on one line. */
const text = (row: object): string =>
  Object.values(row)
    .map((value: unknown) => (Array.isArray(value) ? value.join(',') : String(value)))
    .join('|');

test('each aggregate takes out what left', () => {
  const ages = aggregator({
    create: () => ({ text: '' }),
    add: (kept, row: User) => ({ text: `${kept.text}+${row.age}` }),
    subtract: (kept, row) => ({ text: `${kept.text}-${row.age}` }),
    result: (kept) => kept.text,
  });
  runScript(
    (rows: Stream<User>) =>
      users(rows)
        .groupBy((row) => ({ in: row.region }))
        .aggregate({
          n: count(),
          sum: sum('age'),
          avg: avg('age'),
          min: min('age'),
          max: max('age'),
          ages: countDistinct('age'),
          two: topN(2, 'age'),
          who: collect((row) => row.user),
          own: ages,
        })
        .map((row) => ({ ...row, two: row.two.map(({ user }) => user) }))
        .toStream()
        .map(({ kind, row }) => ({ kind, row: text(row) })),
    `
    >: user region age
    <: kind row
    > 00:01 ann eu 30
    < insert eu|1|30|30|30|30|1|ann|ann|+30
    > 00:02 bob eu 40
    < update eu|2|70|35|30|40|2|bob,ann|ann,bob|+30+40
    > 00:03 cid eu 40                  of equal ages, the first to arrive
    < update eu|3|110|36.666666666666664|30|40|2|bob,cid|ann,bob,cid|+30+40+40
    > 00:04 bob eu 20                  bob has changed, and arrives again
    < update eu|3|90|30|20|40|3|cid,ann|ann,cid,bob|+30+40+40-40+20
    > 00:05 cid us 40
    < update eu|2|50|25|20|30|2|ann,bob|ann,bob|+30+40+40-40+20-40
    < insert us|1|40|40|40|40|1|cid|cid|+40
    > 00:06 ann eu null                without an age, but a row
    < update eu|2|20|20|20|20|1|bob|bob,ann|+30+40+40-40+20-40-30+null
    > 00:07 bob null null
    < update eu|1|null|null|null|null|0||ann|+30+40+40-40+20-40-30+null-20
    | end
    = 5                                three users, two groups
    `,
  );
});

test('groups of groups, joins and further maps see each change', () => {
  runScript(
    (rows: Stream<User>) => {
      const byRegion = users(rows).groupBy('region').aggregate({ users: count() });
      // How many regions have how many users.
      return byRegion
        .groupBy('users')
        .aggregate({ regions: collect((row) => row.region) })
        .toStream();
    },
    `
    >: user region
    <: kind row former
    > 00:01 ann eu
    < insert {"users":1,"regions":["eu"]} -
    > 00:02 bob us
    < update {"users":1,"regions":["eu","us"]} {"users":1,"regions":["eu"]}
    > 00:03 bob eu
    < update {"users":1,"regions":["eu"]} {"users":1,"regions":["eu","us"]}
    < delete {"users":1,"regions":["eu"]} {"users":1,"regions":["eu"]}
    < insert {"users":2,"regions":["eu"]} -
    | end
    = 4                                two users, the region eu, and the regions with one and with two users
    `,
  );
});

test('a row without the key is named, and so is a value that cannot be compared', () => {
  const byRegion = harness((rows: Stream<{ user: string; region?: string }>) =>
    rows.keyBy('user').toTable().groupBy('region').aggregate({ n: count() }).toStream(),
  );
  assert.throws(() => byRegion.element({ user: 'ann' }), {
    code: 'bad-key',
    message: /The key field "region" is undefined: the element is an object with user/,
  });
  byRegion.close();
  const least = harness((rows: Stream<{ user: string; v: number | string }>) =>
    rows
      .keyBy('user')
      .toTable()
      .groupBy(() => 'all')
      .aggregate({ least: min('v') })
      .toStream(),
  );
  least.element({ user: 'ann', v: 1 });
  assert.throws(() => least.element({ user: 'bob', v: 'x' }), { code: 'bad-value', message: /Aggregate "least"/ });
  least.close();
  const taken = harness((rows: Stream<{ user: string }>) =>
    rows
      .keyBy('user')
      .toTable()
      .groupBy(({ user }) => ({ n: user }))
      .aggregate({ n: count() })
      .toStream(),
  );
  assert.throws(() => taken.element({ user: 'ann' }), { code: 'name-taken' });
  taken.close();
});
