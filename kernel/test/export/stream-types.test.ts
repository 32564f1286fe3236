// The types of rows: what the checker knows of each stream of a job, and that each edge of its plan
// has one.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { checkTexts } from '../../export/check-export.ts';
import { constantValues } from '../../export/constants-thread.ts';
import { exportability, type Exportability, type Target } from '../../export/exportability.ts';
import { jobPlan } from './job-plan.ts';
import { rowTypeText } from '../../export/row-types.ts';
import { identify } from '../../protocol/cell-identity.ts';
import { parseNotebook } from '../../protocol/notebook-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'));
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function exported(text: string, target: Target = 'flink'): Exportability {
  const parsed = parseNotebook(text);
  const identities = identify(parsed);
  service.update(parsed.map(({ kind, text: cell }, i) => ({ id: identities[i]!.id, kind, text: cell })));
  return exportability(notebook, target, service.typed());
}

/** TypeScript's type → the type of rows. */
const rows: readonly (readonly [type: string, row: string])[] = [
  ['string', 'string'],
  ["'a' | 'b'", 'string'],
  ['`a${number}`', 'string'],
  ['string & { readonly brand: unique symbol }', 'string'],
  ['number', 'double'],
  ['1 | 2', 'double'],
  ['bigint', 'long'],
  ['boolean', 'boolean'],
  ['Date', 'timestamp'],
  ['Uint8Array', 'bytes'],
  ['string | null', 'string?'],
  ['number | undefined', 'double?'],
  ['boolean | null', 'boolean?'],
  ['string | number', 'any'],
  ['number[]', 'list<double>'],
  ['readonly (bigint | null)[]', 'list<long?>'],
  ['[Date, Date]', 'list<timestamp>'],
  ['[string, number]', 'list<any>'],
  ['Map<string, number[]>', 'map<string, list<double>>'],
  ['Record<string, bigint>', 'map<string, long>'],
  ['Set<string>', 'any'],
  ['{ id: bigint; at: Date; note?: string }', 'row<id: long, at: timestamp, note: string?>'],
  ['{ a: { b: { c: boolean | null } }[] }', 'row<a: list<row<b: row<c: boolean?>>>>'],
  ["{ kind: 'a'; n: number } | { kind: 'b'; s: string }", 'row<kind: string, n: double?, s: string?>'],
  ['{ a: number } & { b: string }', 'row<a: double, b: string>'],
  ['Pick<{ a: number; b: string; c: Date }, "a" | "c">', 'row<a: double, c: timestamp>'],
  ['{ n: number; next: Tree | null }', 'row<n: double, next: row<value: double, children: list<any>>?>'],
  ['any', 'any'],
  ['unknown', 'any'],
  ['object', 'any'],
  ['{}', 'any'],
  ['(n: number) => number', 'any'],
  ['{ f(): void; n: number }', 'any'],
  ['Model', 'any'],
  ['symbol', 'any'],
  ['Colour', 'double'],
  ['null', 'any?'],
];

test('each type of TypeScript has a type of rows', () => {
  const cells = rows.map(([type], i) => `const s${i} = kafka<${type}>('t${i}');\ns${i}.to('o${i}');\n`).join('');
  const { streams } = exported(`// %% id=a
import { kafka } from 'sluice';
interface Tree { value: number; children: Tree[] }
class Model { n = 1; double(): number { return this.n * 2; } }
enum Colour { red, blue }
${cells}`);
  const sources = streams.filter(({ verb }) => verb === 'kafka');
  assert.deepEqual(
    sources.map(({ ports }, i) => [rows[i]![0], rowTypeText(ports['out']!)]),
    rows,
  );
});

const shop = `// %% id=orders
import { avg, count, generate, kafka, tumbling, type Stream } from 'sluice';
import { cheap } from './cheap.ts';
interface Order { id: bigint; customer: string; amount: number; at: Date; tags?: string[] }
const orders = kafka<Order>('orders', { timestamp: 'at' });
const users = generate({ limit: 5 }, ({ n }) => ({ customer: \`c\${n}\`, country: n % 2 === 0 ? 'CH' : null }));

// %% id=totals
const totals = orders.filter((o) => o.amount > 1).keyBy('customer').window(tumbling('1m')).aggregate({ n: count(), mean: avg('amount') });
const byCustomer = users.keyBy('customer').toTable();
const joined = orders.keyBy('customer').temporalJoin(byCustomer).select((order, user) => ({ ...order, country: user?.country }));
function labelled(stream: Stream<Order>): Stream<string> { return stream.map((o) => o.customer); }

// %% id=out
totals.to('totals');
totals.late.to('late');
joined.map(({ country, amount }) => [country ?? '', amount] as const).sink(() => {});
cheap(labelled(orders)).to('labels');
orders.errors.map(({ error }) => ({ error })).toFile('errors.jsonl');
`;

test('each edge of a plan has the type of its rows', async () => {
  writeFileSync(
    join(folder, 'cheap.ts'),
    "import type { Stream } from 'sluice';\nexport function cheap(rows: Stream<string>): Stream<{ label: string }> { return rows.map((label) => ({ label })); }\n",
  );
  const found = exported(shop);
  assert.deepEqual(
    found.problems.map(({ message }) => message),
    // A tuple of a text and a number is a list of both.
    [
      '[] in the rows of map() has no type that Flink knows, so it carries them as they are and cannot read their fields. Give the function a result of plain data.',
    ],
  );
  const plan = await jobPlan(notebook, found, await constantValues(notebook, found));
  const order = 'row<id: long, customer: string, amount: double, at: timestamp, tags: list<string>?>';
  const totals = 'row<windowStart: timestamp, windowEnd: timestamp, customer: string, n: double, mean: double>';
  const typeBy = new Map<string, Set<string>>();
  for (const { from, port, type } of plan.edges) {
    assert.ok(type, from);
    const key = `${from} ${port}`;
    typeBy.set(key, (typeBy.get(key) ?? new Set()).add(sorted(rowTypeText(type))));
  }
  const typeOf = (key: string): string => [...(typeBy.get(key) ?? [])].join(' | ');
  assert.equal(typeOf('orders/orders/kafka#1 out'), sorted(order));
  assert.equal(typeOf('totals/totals/filter#1 out'), sorted(order));
  assert.equal(typeOf('totals/totals/aggregate#1 out'), sorted(totals));
  assert.equal(typeOf('totals/totals/aggregate#1 late'), sorted(order));
  assert.equal(typeOf('orders/users/generate#1 out'), sorted('row<customer: string, country: string?>'));
  assert.equal(typeOf('out/_/map#2 out'), 'string');
  assert.match([...typeBy.values()].map((one) => [...one].join()).join('\n'), /^row<label: string>$/m);
  assert.match(typeOf('orders/orders/kafka#1 errors'), /raw: string/);
  // A plan is JSON, its types too.
  assert.deepEqual(JSON.parse(JSON.stringify(plan.edges)), plan.edges);
});
/** The order of fields is the checker's. */
function sorted(text: string): string {
  return text.replace(/^row<(.*)>$/, (_, fields: string) => `row<${fields.split(', ').sort().join(', ')}>`);
}

test('rows without a type are named for Flink once, where they lose it', () => {
  const text = `// %% id=a
import { kafka } from 'sluice';
const raw = kafka('raw');
const typed = kafka<{ id: string; payload: unknown }>('typed');
raw.filter(() => true).to('a');
typed.filter(() => true).map((o) => o.id).to('b');
typed.map((o) => ({ ...o, n: 1 })).map((o) => JSON.parse(o.id)).to('c');
`;
  const lines = (target: Target): readonly string[] =>
    exported(text, target).problems.map(
      ({ cell, line, severity, code, message }) =>
        `${cell}:${line} ${severity} ${code} ${message.split(' that Flink', 1)[0]}`,
    );
  assert.deepEqual(lines('flink'), [
    'a:2 warning untyped-rows The rows of kafka() have no type',
    'a:3 warning untyped-rows payload in the rows of kafka() has no type',
    'a:6 warning untyped-rows The rows of map() have no type',
  ]);
  assert.deepEqual(lines('node'), []);
});

test('every stream of the samples has a type', () => {
  const samples = join(import.meta.dirname, '../../../samples');
  const names = readdirSync(samples).filter((name) => name.endsWith('.sluice.ts'));
  assert.ok(names.length >= 5);
  for (const name of names) {
    const { problems, exported: found } = checkTexts(join(samples, name), 'flink');
    assert.ok(found, name);
    assert.deepEqual(
      problems.flatMap(({ cell, line, code, message }) =>
        code === 'untyped-rows' ? [`${name} ${cell}:${line} ${message}`] : [],
      ),
      [],
    );
    for (const { verb, ports } of found.streams) assert.ok(ports['out'], `${name} ${verb}`);
  }
});
