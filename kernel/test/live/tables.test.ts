// Tables in a live session: shown with deletes, used in other cells by the name of their variable, asked for a row, and kept over edits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 60_000 };
/** A file that can be read again: ends of a few rows, the last one of b says that it is gone. */
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
    assert.deepEqual(await rowsOf(session, 'joined', (rows) => rows.length === 3), [
      { n: 3, tier: 'basic' },
      { n: 1, tier: 'gold' },
      { n: 2, tier: 'none' },
    ]);
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

test('a table keeps its rows when what follows is edited', timeout, async () => {
  await using session = new LiveSession();
  session.edit(
    'once',
    `import { from } from 'sluice';
async function* slowly() { for (let n = 0; n < 3; n++) yield { id: n, name: 'n' + n }; await new Promise(() => {}); }
const once = from(slowly()).keyBy('id').toTable();
once.show();`,
  );
  session.edit('other', `const other = once.map((row) => ({ name: row.name }));\nother.show();`);
  await session.ran('once', 'other');
  await rowsOf(session, 'once', (rows) => rows.length === 3);
  session.edit('asked', `const asked = await once.get({ id: 1 });\nasked;`);
  session.edit('other', `const other = once.map((row) => ({ called: row.name }));\nother.show();`);
  await session.ran('other', 'asked');
  const [part] = session.parts('asked');
  assert.match(part?.kind === 'value' ? part.text : '', /name: 'n1'/);
});

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
