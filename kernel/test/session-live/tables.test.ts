// Tables in a live session: shown with deletes, read by other cells under the name of their
// variable, looked up by key, and kept over edits.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
/**
 * A file that can be read again. It has the changes of a few rows, and the last change of b deletes
 * it.
 */
const file = {
  'customers.jsonl': [
    { id: 'a', tier: 'basic', at: 1 },
    { id: 'b', tier: 'basic', at: 2 },
    { id: 'a', tier: 'gold', at: 3 },
    { id: 'b', tier: null, at: 4 },
  ]
    .map((row) => JSON.stringify(row))
    .join('\n'),
};
const customers = `import { file } from 'sluice';
interface Customer { id: string; tier: string | null; at: number }
const customers = file<Customer>('customers.jsonl', { timestamp: 'at' }).keyBy('id').toTable().filter((row) => row.tier !== null);
customers;`;
const rowsOf = (session: LiveSession, cell: string, want: (rows: unknown[]) => boolean): Promise<unknown[]> =>
  session.until(() => session.rows(cell), want, `rows of ${cell}`);
const gold = [{ id: 'a', tier: 'gold', at: 3 }];

test('a cell that ends with a table shows its rows, and those that are deleted are gone', timeout, async () => {
  await using session = new LiveSession({ files: file });
  session.edit('customers', customers);
  await session.ran('customers');
  assert.deepEqual(await rowsOf(session, 'customers', (rows) => rows.length === 1), gold);
  session.edit(
    'view',
    `import { view } from 'sluice';\nview(customers, customers.map(({ tier }) => ({ tier })).show());`,
  );
  await session.ran('view');
  assert.deepEqual(await rowsOf(session, 'view', (rows) => rows.length === 1), gold);
});

test(
  'a table is used in other cells: joined, mapped, asked for a row; a re-run of its cell moves them',
  timeout,
  async () => {
    await using session = new LiveSession({ files: file });
    session.edit('customers', customers);
    session.edit(
      'joined',
      `import { from } from 'sluice';
const orders = from([{ n: 1, customer: 'a', at: 3 }, { n: 2, customer: 'z', at: 3 }, { n: 3, customer: 'b', at: 2 }], { timestamp: 'at' });
const enriched = orders.keyBy('customer').temporalJoin(customers).select((order, customer) => ({ n: order.n, tier: customer?.tier ?? 'none' }));
enriched.show();`,
    );
    session.edit(
      'both',
      `const both = customers.join(customers, 'left').select((l, r) => ({ tiers: [l!.tier, r?.tier] }));\nboth.show();`,
    );
    session.edit(
      'asked',
      `const asked = (await customers.get({ id: 'a' }))?.tier + ' ' + (await customers.get({ id: 'b' }));\nasked;`,
    );
    await session.ran('customers', 'joined', 'both', 'asked');
    const [part] = session.parts('asked');
    assert.equal(part?.kind === 'value' && part.text, 'gold undefined');
    assert.deepEqual(await rowsOf(session, 'both', (rows) => rows.length === 1), [{ tiers: ['gold', 'gold'] }]);
    // The order between keys depends on which of the two streams is read first.
    const joined = (await rowsOf(session, 'joined', (rows) => rows.length === 3)) as { n: number; tier: string }[];
    assert.deepEqual(
      joined.toSorted((a, b) => a.n - b.n),
      [
        { n: 1, tier: 'gold' },
        { n: 2, tier: 'none' },
        { n: 3, tier: 'basic' },
      ],
    );
    session.edit('customers', customers.replace('row.tier !== null', "row.tier === 'basic'"));
    await session.ran('customers');
    assert.deepEqual(await rowsOf(session, 'customers', (rows) => rows.length === 0), []);
    assert.deepEqual(await rowsOf(session, 'both', (rows) => rows.length === 0), []);
  },
);

const live = `import { generate } from 'sluice';
const levels = generate({ rate: 200 }, ({ n }) => ({ k: n % 5, n })).keyBy('k').toTable();
levels.show();`;

test(
  'over a live source get() gives the present row of a table that runs, of one made from it, too',
  timeout,
  async () => {
    await using session = new LiveSession();
    session.edit('levels', live);
    session.edit(
      'named',
      "const named = levels.map(({ k, n }) => `${k}: ${n}`).filter((text) => !text.startsWith('4'));\nnamed.show();",
    );
    session.edit(
      'asked',
      `const asked = [await levels.get({ k: 3 }), await named.get({ k: 3 }), await named.get({ k: 4 })];\nasked;`,
    );
    await session.ran('levels', 'named');
    await rowsOf(session, 'named', (rows) => rows.length === 4);
    await session.ran('asked');
    const [part] = session.parts('asked');
    assert.match(part?.kind === 'value' ? part.text : '', /\{ k: 3, n: \d+ \}.*'3: \d+'.*undefined/s);
  },
);

test('a table that does not run and has no end is not waited for', timeout, async () => {
  await using session = new LiveSession();
  session.edit('levels', `${live.replace('levels.show();', '')}\nawait levels.get({ k: 1 });`);
  const [result] = await session.run('levels');
  assert.equal(result?.error?.code, 'unbounded');
  assert.match(result?.error?.message ?? '', /get\(\) of "levels" would never answer/);
});

test(
  'a cell that comes late to a table whose source cannot be read again gets the rows that are there',
  timeout,
  async () => {
    await using session = new LiveSession();
    session.edit(
      'once',
      `import { from } from 'sluice';
async function* slowly() {
  for (const [id, v] of [[1, 1], [2, 1], [1, 2], [3, 1], [2, -1]]) yield { id, v };
  await new Promise(() => {});
}
const once = from(slowly()).keyBy('id').toTable().filter((row) => row.v > 0);
once.show();`,
    );
    await session.ran('once');
    const there = [
      { id: 1, v: 2 },
      { id: 3, v: 1 },
    ];
    await session.until(
      () => session.rows('once'),
      (rows) => rows.length === 2 && session.parts('once').length > 0,
      'rows',
    );
    const sorted = (rows: unknown[]): unknown[] => rows.map((row) => JSON.stringify(row)).sort();
    session.edit('late', `const late = once.map((row) => ({ name: 'n' + row.id, v: row.v }));\nlate.show();`);
    session.edit(
      'joined',
      `const joined = once.join(late).select((l, r) => ({ id: l!.id, name: r!.name }));\njoined.show();`,
    );
    session.edit('asked', `const asked = [await once.get({ id: 1 }), await once.get({ id: 2 })];\nasked;`);
    session.edit('taken', `const taken = await once.toStream().take(2).toArray();\ntaken;`);
    await session.ran('late', 'joined', 'asked', 'taken');
    assert.deepEqual(sorted(await rowsOf(session, 'late', (rows) => rows.length === 2)), [
      '{"name":"n1","v":2}',
      '{"name":"n3","v":1}',
    ]);
    assert.deepEqual(sorted(await rowsOf(session, 'joined', (rows) => rows.length === 2)), [
      '{"id":1,"name":"n1"}',
      '{"id":3,"name":"n3"}',
    ]);
    const textOf = (cell: string): string => {
      const [part] = session.parts(cell);
      return part?.kind === 'value' ? part.text : '';
    };
    assert.match(textOf('asked'), /id: 1, v: 2 \}, undefined/);
    assert.match(textOf('taken'), /kind: 'insert'.*kind: 'insert'/s);
    // An edit shows the current rows.
    session.edit('late', `const late = once.map((row) => ({ called: 'n' + row.id }));\nlate.show();`);
    await session.ran('late');
    assert.deepEqual(
      sorted(
        await rowsOf(session, 'late', (rows) => rows.length === 2 && rows.every((row) => 'called' in (row as object))),
      ),
      ['{"called":"n1"}', '{"called":"n3"}'],
    );
    assert.deepEqual(sorted(session.rows('once')), sorted(there));
  },
);

test('a table and its display go on from a snapshot after a crash', timeout, async () => {
  await using session = new LiveSession();
  session.edit('levels', live);
  session.edit(
    'early',
    `const early = levels.filter(({ n }) => n < 3);\nconst both = levels.join(early, 'left').select((l, r) => ({ k: l!.k, n: l!.n, early: r?.n }));\nboth.show();`,
  );
  await session.ran('levels', 'early');
  const before = await rowsOf(session, 'early', (rows) => rows.length === 5);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await session.crash();
  const least = Math.max(...before.map((row) => (row as { n: number }).n));
  const after = await rowsOf(
    session,
    'early',
    (rows) => rows.length === 5 && rows.every((row) => (row as { n: number }).n > least + 300),
  );
  assert.deepEqual(new Set(after.map((row) => (row as { k: number }).k)), new Set([0, 1, 2, 3, 4]));
});

/** Users by region, from a source that cannot be read again. `put` gives it the next row. */
async function sessionOfUsers(): Promise<{
  session: LiveSession;
  put: (user: string, region: string) => Promise<void>;
}> {
  const session = new LiveSession({ files: { 'users.jsonl': '' } });
  session.edit(
    'users',
    `import { count, from } from 'sluice';
import { readFileSync } from 'node:fs';
async function* arriving() {
  for (let seen = 0; ; ) {
    const lines = readFileSync('${session.folder}/users.jsonl', 'utf8').split('\\n').slice(0, -1);
    while (seen < lines.length) yield JSON.parse(lines[seen++]!) as { user: string; region: string };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const users = from(arriving()).keyBy('user').toTable().filter((row) => row.region !== 'gone');
users;`,
  );
  await session.ran('users');
  const lines: string[] = [];
  const put = async (user: string, region: string): Promise<void> => {
    lines.push(`${JSON.stringify({ user, region })}\n`);
    writeFileSync(join(session.folder, 'users.jsonl'), lines.join(''));
    const isThere = (rows: unknown[]): boolean =>
      rows.some((row) => JSON.stringify(row) === JSON.stringify({ user, region })) === (region !== 'gone');
    await rowsOf(session, 'users', isThere);
  };
  return { session, put };
}
const inOrder = (rows: unknown[]): unknown[] => rows.map((row) => JSON.stringify(row)).sort();
const groupsBecome = (session: LiveSession, cell: string, wanted: readonly string[]): Promise<unknown[]> =>
  rowsOf(session, cell, (rows) => JSON.stringify(inOrder(rows)) === JSON.stringify(wanted));

test('groups of a running table are right when they come late, after a move, and after an edit', timeout, async () => {
  const { session, put } = await sessionOfUsers();
  await using _ = session;
  await put('ann', 'eu');
  await put('bob', 'eu');
  session.edit('groups', `const groups = users.groupBy('region').aggregate({ users: count() });\ngroups;`);
  await session.ran('groups');
  await groupsBecome(session, 'groups', ['{"region":"eu","users":2}']);
  await put('ann', 'us');
  await groupsBecome(session, 'groups', ['{"region":"eu","users":1}', '{"region":"us","users":1}']);
  // Other aggregates: the present rows are counted again, and none twice.
  session.edit(
    'groups',
    `import { collect } from 'sluice';\nconst groups = users.groupBy('region').aggregate({ who: collect((row) => row.user) });\ngroups;`,
  );
  await session.ran('groups');
  await groupsBecome(session, 'groups', ['{"region":"eu","who":["bob"]}', '{"region":"us","who":["ann"]}']);
  assert.deepEqual(session.control.view().cells.find(({ id }) => id === 'groups')?.notes, [
    'groups starts again with the rows that its table has now.',
  ]);
  await put('bob', 'us');
  await groupsBecome(session, 'groups', ['{"region":"us","who":["ann","bob"]}']);
  session.edit('asked', `const asked = await groups.get({ region: 'us' });\nasked;`);
  await session.ran('asked');
  const [part] = session.parts('asked');
  assert.match(part?.kind === 'value' ? part.text : '', /who: \[ 'ann', 'bob' \]/);
});

test('an edit above the groups of a running table counts the rows of the new table, each once', timeout, async () => {
  const { session, put } = await sessionOfUsers();
  await using _ = session;
  const named = (condition: string): string =>
    `const some = users.filter((row) => ${condition});\nconst groups = some.groupBy('region').aggregate({ users: count() });\ngroups.show();`;
  session.edit('groups', named("row.user !== 'ann'"));
  await session.ran('groups');
  await put('ann', 'eu');
  await put('bob', 'eu');
  await put('cid', 'us');
  await groupsBecome(session, 'groups', ['{"region":"eu","users":1}', '{"region":"us","users":1}']);
  session.edit('groups', named("row.user !== 'cid'"));
  await session.ran('groups');
  await groupsBecome(session, 'groups', ['{"region":"eu","users":2}']);
  // ann is one of the rows now, so she is subtracted too.
  await put('ann', 'us');
  await groupsBecome(session, 'groups', ['{"region":"eu","users":1}', '{"region":"us","users":1}']);
});
