// `check` on notebooks as files: its messages and their positions. A correct notebook passes.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { checkNotebook } from '../../cells/check.ts';
import { joinedCells } from '../../cells/missing-semicolon.ts';

function check(t: TestContext, content: string | Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'n.sluice.ts');
  writeFileSync(file, content);
  return checkNotebook(file).map(
    ({ cell, line, column, severity, code, message }) => `${cell} ${line}:${column} ${severity} ${code} ${message}`,
  );
}

test('a good notebook has nothing to say, whatever its line endings', (t) => {
  const text = `// %% [markdown]
// # Orders
//
// of today

// %% id=orders
import { count, generate, tumbling } from 'sluice';
const orders = generate({ rate: 10, timestamp: 'at' }, ({ n, now }) => ({ n, at: now }));

// %% id=view
const counts = orders.windowAll(tumbling('1s')).aggregate({ n: count() });
counts.chart({ x: 'windowEnd', y: 'n' });
const [first] = await counts.take(1).toArray();
first?.n;
`;
  assert.deepEqual(check(t, text), []);
  assert.deepEqual(check(t, `\ufeff${text.replaceAll('\n', '\r\n')}`), []);
  assert.deepEqual(check(t, ''), []);
});

test('types, names, circles and ids are errors here', (t) => {
  const text = `// %% id=a
export const n: string = 1;
const f = () => { m++; };
let m = z;
// %% id=b
const n = 2;
const z = m + 1;
// %% id=b
1 +;
// %% id=bad.id
n;
`;
  assert.deepEqual(check(t, text), [
    `a 1:14 error ts2322 Type 'number' is not assignable to type 'string'.`,
    'a 2:19 error captured-assignment This function assigns to m, which it captures: the value would be neither saved nor shared. Keep it in keyed state, or in the elements.',
    'a 3:9 error use-before-definition z is used above its definition in cell "b". Move that cell up.',
    'b 1:7 error duplicate-name Cell "b": n is already defined in cell "a". Rename one of them.',
    'b 2:11 error cycle Cells a → b → a depend on each other. Move one of the definitions.',
    'b 1:1 error duplicate-id Two cells have the id "b". The later one does not run until it has another id.',
    'b 1:4 error syntax Expression expected.',
    'bad.id 1:1 error invalid-id "bad.id" is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _.',
  ]);
});

const joinedWith = (...texts: string[]): string[] =>
  [
    ...joinedCells(texts.map((text, i) => ({ id: `c${i}`, kind: text.startsWith('#') ? 'markdown' : 'code', text }))),
  ].map(([cell, { line, column, message }]) => `${cell} ${line}:${column} ${message}`);
const message = (id: string): string =>
  `A semicolon is missing. TypeScript reads this line and the beginning of cell "${id}" as one statement.`;

test('a missing semicolon that joins two cells, across prose and cells without code', () => {
  const joined = [
    ['const a = 1', '[1].at(0);'],
    ['const b = () => 1', '(2);'],
    ['const c = 1', '`x`;'],
    ['let d = 1', '/1/.test("1");'],
    ['let e = 1 // so', '- 1;'],
  ] as const;
  for (const [first, second] of joined) {
    const text = `export {};\n${first}`;
    assert.deepEqual(joinedWith(text, '# prose', '// nothing', second), [`0 2:${first.length + 1} ${message('c3')}`]);
    assert.deepEqual(joinedWith(text.replace(/( \/\/ so)?$/, ';$1'), second), []);
  }
});

test('no semicolon is missing where the next cell begins a statement of its own', () => {
  for (const second of ['const b = 1;', 'a;', '{ a; }', 'if (a) a;', '++a;', '!a;', '"text";', 'class B {}'])
    assert.deepEqual(joinedWith('let a = 1', second), [], second);
});

test('`check` reports a missing semicolon', (t) => {
  const found = check(t, '// %% id=a\nexport const a = 1\n\n// %% id=b\n[2].at(0);\n');
  assert.deepEqual(found, [`a 1:19 error missing-semicolon ${message('b')}`]);
});

test('a notebook that is a script to TypeScript', (t) => {
  const found = check(t, '// %% id=a\nconst a = 1;\n');
  assert.equal(found.length, 1);
  assert.match(found[0]!, /^ 1:1 warning no-module /);
});

test('code in a prose cell, and bytes that are no text', (t) => {
  assert.deepEqual(check(t, '// %% [markdown] id=m\n// ok\nlet x = 1;\n// %% id=a\nexport {};\n'), [
    'm 2:1 error code-in-prose This line is in a prose cell but is not a comment. TypeScript would run it, Sluice does not. Begin it with //.',
  ]);
  const [only] = check(t, Uint8Array.from([0x61, 0xff]));
  assert.match(only!, /^ 1:1 error not-utf8 This file is not UTF-8 text/);
});

const warning = (place: string, meant: string): string =>
  `${place} warning looks-like-marker This line looks like a marker, but no cell begins here: a marker begins with "// %%" and a blank or the end of the line. For a new cell, write: ${meant}`;

test('a line that looks like a marker and is none is a warning with the right spelling', (t) => {
  for (const [line, meant] of [
    ['//%% id=a', '// %% id=a'],
    ['//%%', '// %%'],
    ['//%%%% sub', '// %% sub'],
    ['// %%% sub', '// %% sub'],
    ['//  %% [markdown]', '// %% [markdown]'],
    ['  // %% id=a', '// %% id=a'],
    ['// #%% id=a', '// %% id=a'],
    ['//#%%', '// %%'],
    ['// %%id=a', '// %% id=a'],
    ['// %%[test] id=a', '// %% [test] id=a'],
  ] as const)
    assert.deepEqual(check(t, `// %% id=x\nexport {};\n${line}\n`), [warning('x 2:1', meant)], line);
  const python = check(t, '# %% id=a\nexport {};\n');
  assert.ok(python.includes(warning('cell-1 1:1', '// %% id=a')), String(python));
});

test('markers of Jupytext, Spyder and exported notebooks are warned of', (t) => {
  const markers = [
    ['// +', '// %%'],
    ['// + [markdown]', '// %% [markdown]'],
    ['// + {"tags": []}', '// %% {"tags": []}'],
    ['// + tags=["parameters"]', '// %% tags=["parameters"]'],
    ['// + active="ipynb"', '// %% active="ipynb"'],
    ['// + editable=true', '// %% editable=true'],
    ['// <codecell>', '// %%'],
    ['// In[3]:', '// %%'],
    ['// In[3]: x', '// %% x'],
    ['// #%% id=b', '// %% id=b'],
    ['// # %%', '// %%'],
    ['// %%% sub', '// %% sub'],
  ] as const;
  const lines = markers.map(([line]) => line).join('\n');
  const meant = markers.map(([, marker], at) => warning(`x ${at + 2}:1`, marker));
  assert.deepEqual(check(t, `// %% [markdown] id=x\n// text\n${lines}\n\n// %% id=a\nexport {};\n`), meant, 'in prose');
  assert.deepEqual(check(t, `// %% id=x\nexport {};\n${lines}\n`), meant, 'in code');
});

test('a line that looks like a marker is found in a prose cell, and in a notebook without markers', (t) => {
  assert.deepEqual(check(t, '//%% id=a\nexport {};\n//%% [markdown]\n// prose\n'), [
    warning('cell-1 1:1', '// %% id=a'),
    warning('cell-1 3:1', '// %% [markdown]'),
  ]);
  assert.deepEqual(check(t, '// %% [markdown] id=m\n// prose\n//%% id=a\n'), [warning('m 2:1', '// %% id=a')]);
});

test('no warning for a magic, for text in a literal or a comment, and for prose that is escaped or indented', (t) => {
  for (const text of [
    '// %% id=a\nexport const a = `\n//%% id=b\n`;\n/*\n//%% id=c\n*/\n',
    '// %% id=a\nexport {};\n// %%time\n// 5 %% 3\n// a //%% b\n// + 5\n// +x\n// In [a] b\n',
    '// %% [markdown]\n// \\%% id=a\n//   %% a comment in a diagram\n',
    '// %% [markdown]\n// + an item\n// + [ ] a task\n// + [a](b)\n// # 5 %% 3\n// ```python\n// # %%\n// ```\n',
    '// %% id=a\nexport {};\n// + n=5\n// In[3]:x\n',
    '// %% id=a lines=2\nexport {};\n// %% id=b\n',
  ])
    assert.deepEqual(check(t, text), [], text);
});

test('a callback that gives a Promise is an error where a plain value is wanted', (t) => {
  const text = `// %% id=a
import { aggregator, from, sum, tumbling } from 'sluice';
const later = (n: number) => Promise.resolve(n);
const rows = from([{ n: 1, at: 0 }], { timestamp: async (row: { at: number }) => row.at } as any);
rows.map(async (row) => row.n);
rows.map((row) => later(row.n));
rows.filter((async (row: { n: number }) => row.n > 1) as any);
rows.windowAll(tumbling('1m')).aggregate({ own: aggregator({ create: () => 0, async add(a: any) { return a; }, result: (a: any) => a }) });
rows.map(({ n }) => n).mapAsync(async (n) => n).sink(async () => {});
rows.map((row) => ({ row, p: later(row.n) }));
[1].map(async (n) => n);
const timestamp = async (row: { at: number }) => row.at;
from([{ at: 0 }], { timestamp } as any);
const add = async (a: any) => a;
aggregator({ create: () => 0, ...{ add }, result: (a: any) => a } as any);
rows.windowAll(tumbling('1m')).aggregate({ sums: [sum(async (row: { n: number }) => row.n)] } as any);
rows.keyBy('n').process({ state: {}, timers: { deep: { async onTimer() {} } } } as any);
`;
  const found = check(t, text).filter((line) => line.includes('gave-promise'));
  assert.deepEqual(
    found.map((line) => /^a (\d+):/.exec(line)![1]),
    ['3', '4', '5', '6', '7', '12', '14', '15', '16'],
  );
  assert.match(found[1]!, /^a 4:10 error gave-promise This function of map\(\) gives a Promise, .* Use mapAsync\(\)/);
});
