// The language service for an editor: types across cells, positions inside the cell, type errors as
// warnings.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import type { CellOffset, ModuleCell } from '../../cells/virtual-module.ts';
import { parseNotebook } from '../../protocol/notebook-file.ts';
import { plain } from '../../topics/row-type.ts';
import { writeTopics } from '../../topics/topics-file.ts';

class Editor {
  readonly folder: string;
  readonly service: NotebookLanguageService;
  cells: ModuleCell[] = [];
  constructor(t: TestContext, files: Readonly<Record<string, string>> = {}) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-language-')));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
    this.service = new NotebookLanguageService({ notebook: join(this.folder, 'n.sluice.ts') });
    t.onTestFinished(() => {
      this.service.dispose();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }
  open(cells: Readonly<Record<string, string>>): this {
    this.cells = Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
    this.service.update(this.cells);
    return this;
  }
  /** The place of `|` in the cell, which is taken out. */
  at(id: string, text: string): CellOffset {
    const cell = this.cells.findIndex((candidate) => candidate.id === id);
    this.cells = this.cells.with(cell, { id, kind: 'code', text: text.replace('|', '') });
    this.service.update(this.cells);
    return { cell, offset: text.indexOf('|') };
  }
  diagnostics(): string[] {
    return this.service
      .diagnostics()
      .flat()
      .map(
        ({ cell, line, column, severity, code, message }) => `${cell} ${line}:${column} ${severity} ${code} ${message}`,
      );
  }
}

const orders = `import { kafka, sum, tumbling } from 'sluice';
interface Order { customer: string; amount: number }
const orders = kafka<Order>('orders');`;
const totals = `const totals = orders.keyBy('customer').window(tumbling('1m')).aggregate({ total: sum('amount') });`;

test('hovers show the types of streams that other cells declare', (t) => {
  const editor = new Editor(t).open({ orders, totals, view: '' });
  const hover = editor.service.hover(editor.at('view', 'tot|als.show()'));
  assert.equal(
    hover?.display.replace(/\s+/g, ' '),
    'const totals: WindowResult<{ customer: string; windowStart: Date; windowEnd: Date; total: number; }, Order>',
  );
  assert.deepEqual(hover?.range, { cell: 2, start: 0, end: 6 });
});

test('completions know fields of rows, methods of streams and names of other cells', (t) => {
  const editor = new Editor(t).open({ orders, totals, view: '' });
  const names = (text: string) => editor.service.completions(editor.at('view', text)).map(({ name }) => name);
  assert.deepEqual(names('totals.map((row) => row.|)').slice(0, 4), ['customer', 'total', 'windowEnd', 'windowStart']);
  assert.ok(names('totals.|').includes('chart'));
  assert.deepEqual(names("orders.keyBy('|')"), ['customer', 'amount']);
  const global = names('|');
  for (const name of ['orders', 'totals', 'tumbling', 'console', 'fetch', 'Math', 'Array'])
    assert.ok(global.includes(name), name);
  for (const name of ['HTMLElement', 'document', 'alert']) assert.ok(!global.includes(name), name);
});

test('what is not imported yet is offered, and imported in the cell at hand: no other one is edited', (t) => {
  const editor = new Editor(t).open({ orders, view: '' });
  const at = editor.at('view', 'coun|');
  const item = editor.service.completions(at).find(({ name }) => name === 'count');
  assert.deepEqual([item?.from, item?.kind], ['sluice', 'function']);
  const line = { cell: 1, start: 0, end: 0, newText: "import { count } from 'sluice';\n" };
  assert.deepEqual(editor.service.details(at, item!.data)?.edits, [line]);
  const inside = editor.at('orders', `${orders}\ncoun|`);
  const place = orders.indexOf(' }');
  const more = { cell: 0, start: place, end: place, newText: ', count' };
  assert.deepEqual(editor.service.details(inside, item!.data)?.edits, [more]);
  const alone = new Editor(t).open({ view: '' });
  const edits = alone.service.details(alone.at('view', 'coun|\r\n'), item!.data)?.edits;
  assert.deepEqual(edits, [{ cell: 0, start: 0, end: 0, newText: "import { count } from 'sluice';\r\n" }]);
});

test('completions are resolved with their documentation', (t) => {
  const editor = new Editor(t).open({ orders, view: '' });
  const details = editor.service.details(editor.at('view', 'orders.|'), { name: 'toArray' });
  assert.match(details?.detail ?? '', /toArray\(\): Promise<Order\[\]>/);
  assert.match(details?.documentation ?? '', /bounded input/);
});

test('signatures, and definitions in other cells, helper modules and declarations', (t) => {
  const editor = new Editor(t, { 'helper.ts': '\nexport const helper = 1;' }).open({ orders, view: '' });
  const help = editor.service.signature(editor.at('view', "tumbling('1m', |)"));
  assert.deepEqual([help?.items[0]?.parameters.map(({ name }) => name), help?.argumentIndex], [['size', 'options'], 1]);
  const start = orders.indexOf('orders =');
  assert.deepEqual(editor.service.definition(editor.at('view', 'ord|ers;')), [{ cell: 0, start, end: start + 6 }]);
  const [helper] = editor.service.definition(editor.at('view', "import { helper } from './helper.ts';\nhel|per;"));
  assert.deepEqual(helper, { file: join(editor.folder, 'helper.ts'), start: 14, end: 20 });
  const [declared] = editor.service.definition(editor.at('view', 'tum|bling'));
  assert.match((declared as { file: string }).file, /surface\.ts$|sluice\.d\.ts$/);
});

test('errors of types are advice at their place in the cell; errors from the form of the module are left out', (t) => {
  const editor = new Editor(t).open({
    before: 'const early = later + 1;\nlater;',
    orders,
    view: `\r\nawait orders.take(1).toArray();\r\norders.map((o) => o.amuont);\r\norders;`,
    later: 'const later = 1;\nexport {};',
    node: `import { readFileSync } from 'node:fs';\nreadFileSync(process.cwd()); Buffer.from(''); import.meta.dirname; setImmediate(() => {});`,
  });
  assert.deepEqual(editor.diagnostics(), [
    `view 3:21 warning ts2551 Property 'amuont' does not exist on type 'Order'. Did you mean 'amount'?`,
  ]);
});

test('errors that prevent a run are reported once, with the names of cells', (t) => {
  const editor = new Editor(t).open({
    a: 'let n = 1;\nconst c = () => d;',
    b: 'const n = 2;',
    c: 'n = 3;\nconst d = c;',
    broken: 'const x = {',
    fine: 'const y = 1;',
  });
  assert.deepEqual(editor.diagnostics(), [
    `b 1:7 error duplicate-name Cell "b": n is already defined in cell "a". Rename one of them.`,
    `c 2:11 error cycle Cells a → c → a depend on each other. Move one of the definitions.`,
    `c 1:1 error foreign-assignment Cell "c": only cell "a" may assign to n. Assign it there, or declare another name in this cell.`,
    `broken 1:12 error syntax '}' expected.`,
  ]);
});

test('types of topics come from .sluice, of packages from node_modules, of helpers from their files', (t) => {
  const editor = new Editor(t, {
    '.sluice/topics.d.ts': `export {};\ndeclare module 'sluice' { interface Topics { orders: { id: string } } }`,
    '.sluice/sluice.d.ts': `declare module 'sluice' { export const stale: 1; }`,
    'node_modules/typed/package.json': '{"name":"typed","types":"t.d.ts"}',
    'node_modules/typed/t.d.ts': 'export const typed: { deep: 1 };',
    'helper.ts': 'export const helper = { x: 1 };',
  }).open({
    a: `import { kafka } from 'sluice';\nimport { typed } from 'typed';\nimport { helper } from './helper';`,
    b: '',
  });
  const shows = (text: string) => editor.service.hover(editor.at('b', text))?.display.replace(/\s+/g, ' ');
  assert.equal(shows("const o|rders = kafka('orders')"), 'const orders: SourceStream<{ id: string; }>');
  assert.equal(shows('const d| = typed.deep'), 'const d: 1');
  assert.equal(shows('const h| = helper.x'), 'const h: number');
  assert.deepEqual(editor.diagnostics(), []);
});

test('a file with types of topics that comes later is used, and so is its next version', (t) => {
  const editor = new Editor(t).open({ a: `import { kafka } from 'sluice';\nconst orders = kafka('orders');`, b: '' });
  const fields = (): string[] =>
    editor.service
      .completions(editor.at('b', 'orders.map((record) => record.|)'), '.')
      .map(({ name }) => name)
      .filter((name) => name !== 'meta');
  assert.deepEqual(fields(), []);
  const file = join(editor.folder, '.sluice', 'topics.d.ts');
  const row = (name: string) =>
    ({ kind: 'object', fields: [{ name, type: plain('string'), isOptional: false }] }) as const;
  writeTopics(file, new Map([['orders', { type: row('customer'), about: 'Test' }]]));
  assert.deepEqual(fields(), ['customer']);
  writeTopics(file, new Map([['orders', { type: row('country'), about: 'Test' }]]));
  // Files are told apart by their times.
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  assert.deepEqual(fields(), ['country']);
  const topics = editor.service.completions(editor.at('b', "kafka('|')"), "'").map(({ name }) => name);
  assert.ok(topics.includes('orders'), topics.join());
  editor.at('b', 'orders.map((record) => record.country|);');
  assert.deepEqual(editor.diagnostics(), []);
  editor.at('b', 'orders.map((record) => record.customer|);');
  assert.match(editor.diagnostics().join(), /b 1:\d+ warning ts2339 Property 'customer' does not exist/);
});

const example = new URL('../../../../shared/contract/cells.example.ts', import.meta.url);
test('the example cells of the contract have no diagnostics', (t) => {
  t.skip(!existsSync(example), 'shared/contract is not here');
  const editor = new Editor(t);
  const text = readFileSync(example, 'utf8').replaceAll('./sluice.js', 'sluice');
  editor.service.update(parseNotebook(text).map(({ kind, id, text }, i) => ({ kind, id: id ?? `cell-${i}`, text })));
  assert.deepEqual(editor.diagnostics(), []);
});
