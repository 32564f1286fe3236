// `sluice run`: every row, the errors, the metrics, and its end.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { until } from '../server/kernels.ts';
import { Folder, type JsonLine, sluice, start } from './sluice.ts';

const rows = (lines: readonly { readonly row?: unknown; readonly cell?: string }[], cell: string): unknown[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [line.row] : []));

test('every row of every display is an object on a line, in the exact form, and the last line is the metrics', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { from } from 'sluice';
const values = from([{ at: new Date(0), big: 12345678901234567890n, bytes: new Uint8Array([1, 2]), gone: undefined, text: 'é' }]);
values
// %% id=b
const one = values.map((v) => v.text);
const two = values.map((v) => ({ n: 1 }));
import { view } from 'sluice';
view(one, two.show())
`,
  );
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.deepEqual(
    lines.slice(0, -1).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    [
      { cell: 'a', row: { at: '1970-01-01T00:00:00.000Z', big: '12345678901234567890', bytes: 'AQI=', text: 'é' } },
      { cell: 'b', stream: 'one', row: 'é' },
      { cell: 'b', stream: 'two', row: { n: 1 } },
    ],
  );
  const operators = lines.at(-1)?.metrics?.operators ?? [];
  assert.ok(operators.length > 0);
  for (const operator of operators)
    for (const name of [
      'id',
      'name',
      'recordsIn',
      'recordsOut',
      'recordsInPerSecond',
      'recordsOutPerSecond',
      'busy',
      'idle',
      'backpressured',
      'backpressure',
      'lateRecordsDropped',
    ])
      assert.ok(name in operator, `${operator.id} has ${name}`);
});

/** Displays that are no last expressions, in loops too. */
const several = `// %% id=a
import { from } from 'sluice';
const one = from([{ a: 1 }]);
one.show();
one.map((r) => ({ b: r.a })).show();
// %% id=b
for (const k of ['x', 'y']) one.map((r) => ({ k, a: r.a })).show();
// %% id=c
one.map((r) => ({ c: r.a })).show();
const after = 1;
`;

test('every display of a cell has its rows in the output, with the label of its stream', async (t) => {
  const notebook = new Folder(t).write('show.sluice.ts', several);
  const json = await sluice('run', notebook, '--json');
  assert.equal(json.code, 0, json.err);
  const inOrder = (lines: readonly JsonLine[]): readonly JsonLine[] =>
    lines.toSorted((a, b) => `${a.cell} ${a.stream}`.localeCompare(`${b.cell} ${b.stream}`));
  assert.deepEqual(inOrder(json.lines.slice(0, -1)), [
    { cell: 'a', stream: 'map', row: { b: 1 } },
    { cell: 'a', stream: 'one', row: { a: 1 } },
    { cell: 'b', stream: 'map#1', row: { k: 'x', a: 1 } },
    { cell: 'b', stream: 'map#2', row: { k: 'y', a: 1 } },
    { cell: 'c', row: { c: 1 } },
  ]);
  const { code, out } = await sluice('run', notebook);
  assert.equal(code, 0);
  const rowLines = out.split('\n').filter((line) => /^[abc] /.test(line));
  assert.deepEqual(rowLines.toSorted(), [
    'a  map  b=1',
    'a  one  a=1',
    'b  map#1  k=x  a=1',
    'b  map#2  k=y  a=1',
    'c  c=1',
  ]);
});

test('no row is left out, however slowly the reader reads', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { generate } from 'sluice';
generate({ limit: 30000 }, (g) => ({ n: g.n, text: 'x'.repeat(50) }))
`,
  );
  const { child, ended, out } = start(['run', notebook, '--json']);
  child.stdout.pause();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(out(), '');
  child.stdout.resume();
  const { lines, code } = await ended;
  assert.equal(code, 0);
  const numbers = rows(lines, 'a').map((row) => (row as { n: number }).n);
  assert.deepEqual(
    numbers,
    Array.from({ length: 30_000 }, (_, n) => n),
  );
});

test('cells run in the order of what they need, wherever they stand', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=b
const doubled = numbers.map((n) => n * factor);
doubled
// %% id=a
import { from } from 'sluice';
const numbers = from([1, 2]);
const factor = 2;
`,
  );
  const { lines, code } = await sluice('run', notebook, '--json');
  assert.equal(code, 0);
  assert.deepEqual(rows(lines, 'b'), [2, 4]);
});

for (const { title, text, cell, message, count = 1 } of [
  { title: 'a syntax error', text: '// %% id=a\nconst x = ;\n', cell: 'a', message: /Expression expected/ },
  { title: 'a cell that throws', text: "// %% id=a\nthrow new Error('no luck');\n", cell: 'a', message: /no luck/ },
  {
    title: 'a name that no cell defines',
    text: '// %% id=a\nnobody.map((x) => x)\n',
    cell: 'a',
    message: /nobody is not defined/,
  },
  {
    title: 'a name defined twice',
    text: '// %% id=a\nconst x = 1;\n// %% id=b\nconst x = 2;\n',
    cell: 'b',
    message: /x is already defined in cell "a"/,
  },
  {
    title: 'a circle of cells',
    text: '// %% id=a\nconst x = y + 1;\n// %% id=b\nconst y = x + 1;\n',
    cell: 'a',
    message: /needs itself/,
    // Each cell of the circle has its error.
    count: 2,
  },
  {
    title: 'an operator that throws',
    text: "// %% id=a\nimport { from } from 'sluice';\nfrom([{ v: 1 }]).map((o) => { throw new Error(`bad ${o.v}`); })\n",
    cell: 'a',
    message: /bad 1/,
  },
  {
    title: 'an import that is not installed',
    text: "// %% id=a\nimport x from 'not-there-at-all';\nx\n",
    cell: 'a',
    message: /npm install not-there-at-all/,
  },
])
  test(`${title} is one clear error of its cell, and the code is not zero`, async (t) => {
    const notebook = new Folder(t).write('a.sluice.ts', text);
    const { lines, code } = await sluice('run', notebook, '--json');
    const errors = lines.filter((line) => line.error);
    assert.equal(errors.length, count, JSON.stringify(lines));
    assert.equal(errors[0]?.cell, cell);
    assert.match(errors[0]?.error?.message ?? '', message);
    assert.equal(code, 1);
  });

for (const { title, bytes, code } of [
  { title: 'a file that is not UTF-8', bytes: Buffer.from([0x2f, 0x2f, 0xff]), code: 'not-utf8' },
  { title: 'two cells with one id', bytes: Buffer.from('// %% id=a\n1\n// %% id=a\n2\n'), code: 'duplicate-cell-id' },
])
  test(`${title} is refused before anything runs`, async (t) => {
    const notebook = new Folder(t).write('a.sluice.ts', bytes as unknown as string);
    const { lines, code: exit } = await sluice('run', notebook, '--json');
    assert.deepEqual(
      lines.map((line) => line.error?.code),
      [code],
    );
    assert.equal(exit, 1);
  });

test('a notebook that is not there is named', async () => {
  const { err, code } = await sluice('run', '/nowhere/at-all.sluice.ts');
  assert.equal(err, 'There is no notebook /nowhere/at-all.sluice.ts.\n');
  assert.equal(code, 1);
});

test('--for ends an endless notebook with 0, and a parameter reaches it', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { generate, param } from 'sluice';
const word = param('word', 'none'), rows = generate({ rate: 50 }, (g) => ({ n: g.n, word })); rows
`,
  );
  // Runs for a longer time until there are rows: the machine may be busy.
  let words = new Set<string>();
  for (let seconds = 5; words.size === 0 && seconds < 200; seconds *= 3) {
    const { lines, code } = await sluice('run', notebook, '--json', '--for', `${seconds}s`, '--param', 'word=hi=there');
    assert.deepEqual([code, lines.at(-1)?.metrics === undefined], [0, false]);
    words = new Set(rows(lines, 'a').map((row) => (row as { word: string }).word));
  }
  assert.deepEqual([...words], ['hi=there']);
});

test('Ctrl-C ends it cleanly, with the metrics', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    "// %% id=a\nimport { generate } from 'sluice';\ngenerate({ rate: 50 }, (g) => g.n)\n",
  );
  const { child, ended, out } = start(['run', notebook, '--json']);
  await until(() => out().includes('"row"'), 'a row');
  child.kill('SIGINT');
  const { lines, code, err } = await ended;
  assert.deepEqual([code, err], [0, '']);
  assert.ok(lines.at(-1)?.metrics);
});

test('a pull in a cell is waited for, and its rows are printed', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `// %% id=a
import { from } from 'sluice';
const numbers = from([1, 2, 3]);
const all = await numbers.map((n) => n * 2).toArray();
console.log('sum', all.reduce((x, y) => x + y));
`,
  );
  const { lines, code, err } = await sluice('run', notebook, '--json');
  assert.equal(code, 0);
  assert.deepEqual(rows(lines, 'a'), [2, 4, 6]);
  assert.equal(err, 'a: sum 12\n');
});

test('without --json a pipe gets plain lines', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    "// %% id=a\nimport { from } from 'sluice';\nconst x = from([{ v: 1, w: 'é' }]);\nx\n",
  );
  const { out, code } = await sluice('run', notebook);
  assert.equal(code, 0);
  assert.match(out, /^a {2}v=1 {2}w=é$/m);
  assert.match(out, /^1 record read, /m);
  assert.equal(out.includes('\x1b'), false);
});

for (const { args, message } of [
  { args: ['test', 'x'], message: 'not-yet: sluice test comes in a later version' },
  { args: ['run', 'x', '--param', 'word'], message: '--param word has no name and value. Write --param name=value.' },
])
  test(`sluice ${args.join(' ')} says: ${message}`, async () => {
    const { err, code } = await sluice(...args);
    assert.equal(err, `${message}\n`);
    assert.equal(code, 1);
  });

test('an unknown option is refused', async () => {
  const { err, code } = await sluice('run', 'x', '--jsonl');
  assert.match(err, /unknown option '--jsonl'/);
  assert.equal(code, 1);
});

test('the summary and the metrics at the end have the rejected records of sources', async (t) => {
  const folder = new Folder(t);
  folder.write('mixed.jsonl', '{"a":1,"at":1000}\n{"a":2,"at":2000,}\n{"a":3,"at":3000}\n{"a":4,"at":"2024-01-01"}\n');
  folder.write('semicolon.csv', 'id;name\n1;A;12,5\n2;B;3,5\n');
  const notebook = folder.write(
    'a.sluice.ts',
    `// %% id=a
import { file } from 'sluice';
file<{ at: number }>('mixed.jsonl', { timestamp: 'at' }).show();
// %% id=b
file('semicolon.csv').show();
`,
  );
  const plain = await sluice('run', notebook);
  assert.equal(plain.code, 0);
  const summary = plain.out.slice(plain.out.indexOf('2 records read'));
  assert.match(summary, /▲ 2 of 4 records of .*mixed\.jsonl were rejected: mixed\.jsonl line 2: It is not JSON: /);
  assert.match(
    summary,
    /▲ 2 of 2 records of .*semicolon\.csv were rejected: semicolon\.csv line 2: It has 2 fields, and the header names 1\./,
  );
  const { lines } = await sluice('run', notebook, '--json');
  const sources = lines.at(-1)!.metrics!.operators.filter((operator) => 'recordsRejected' in operator);
  assert.deepEqual(
    sources.map(({ recordsRejected }) => recordsRejected),
    [2, 2],
  );
  assert.match(String(sources[0]!['firstRejection']), /^mixed\.jsonl line 2: It is not JSON: /);
});

test('a note of a source is a line of the error output with --json, and in its metrics', async (t) => {
  const folder = new Folder(t);
  folder.write('semicolon.csv', 'a;b\n1;2\n');
  const notebook = folder.write(
    'a.sluice.ts',
    "// %% id=a\nimport { file } from 'sluice';\nfile('semicolon.csv').show();\n// %% id=b\nfile('semicolon.csv').map((row) => row).show();\n",
  );
  const note = /semicolon\.csv has 1 column with the delimiter ",", and 2 with ";"\. Give delimiter: ";"\./;
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.equal(code, 0);
  assert.match(err, new RegExp(`^▲ ${note.source}\n$`));
  const notes = lines.at(-1)!.metrics!.operators.flatMap((operator) => operator['note'] ?? []);
  assert.equal(notes.length, 2);
  for (const one of notes) assert.match(one as string, note);
});

test('a source that ran only for a pull is in the summary and the metrics at the end', async (t) => {
  const folder = new Folder(t);
  folder.write('mixed.jsonl', '{"a":1}\n{"a":2,}\n{"a":3}\n');
  const notebook = folder.write(
    'a.sluice.ts',
    `// %% id=a
import { file, from } from 'sluice';
const rows = await file('mixed.jsonl').toArray();
// %% id=b
from([rows.length]).show();
`,
  );
  const plain = await sluice('run', notebook);
  assert.equal(plain.code, 0);
  assert.match(plain.out, /▲ 1 of 3 records of .*mixed\.jsonl was rejected: mixed\.jsonl line 2: /);
  const { lines } = await sluice('run', notebook, '--json');
  const rejected = lines.at(-1)!.metrics!.operators.flatMap(({ recordsRejected }) => recordsRejected ?? []);
  assert.deepEqual(rejected, [0, 1]);
});

test('names that every object has are names like any other: cells, values, parameters, packages', async (t) => {
  const folder = new Folder(t);
  const notebook = folder.write(
    'a.sluice.ts',
    [
      "// %% id=constructor\nimport { from, param } from 'sluice';\nconst toString = from([{ valueOf: param('constructor', 'none') }]);\ntoString",
      '// %% id=__proto__\nconst hasOwnProperty = toString.map((row) => ({ constructor: row.valueOf }));\nhasOwnProperty',
    ].join('\n\n'),
  );
  for (const [parameters, value] of [
    [[], 'none'],
    [['--param', 'constructor=given'], 'given'],
  ] as const) {
    const { lines } = await sluice('run', notebook, '--json', ...parameters);
    assert.deepEqual(
      lines.flatMap(({ cell, row }) => (row === undefined ? [] : [[cell, row]])),
      [
        ['constructor', { valueOf: value }],
        ['__proto__', { constructor: value }],
      ],
    );
  }
  // No cell reads this one, although every object has it.
  const unread = await sluice('run', notebook, '--param', '__proto__=other');
  assert.equal(unread.code, 1);
  assert.match(unread.err, /^No cell reads the parameter "__proto__"\. The cells read constructor\.$/m);
  const missing = folder.write('b.sluice.ts', "// %% id=a\nimport x from 'constructor';\nx\n");
  const { lines } = await sluice('run', missing, '--json');
  assert.match(lines[0]?.error?.message ?? '', /constructor/);
  assert.notEqual(lines[0]?.error?.code, 'internal');
});

const foreign =
  "//%% id=a\nimport { from } from 'sluice';\nfrom([{ a: 1 }]).show();\n//%% id=b\nfrom([{ b: 1 }]).show();\n";

test('lines that look like markers are named before the rows, on stderr beside JSON lines', async (t) => {
  const notebook = new Folder(t).write('a.sluice.ts', foreign);
  const line = (at: number, id: string): string =>
    `${notebook}  cell cell-1, ${at}:1  warning looks-like-marker  This line looks like a marker, but no cell begins here: a marker begins with "// %%" and a blank or the end of the line. For a new cell, write: // %% id=${id}\n`;
  const warnings = line(1, 'a') + line(4, 'b');
  const json = await sluice('run', notebook, '--json');
  assert.deepEqual([json.code, json.err], [0, warnings]);
  const text = await sluice('run', notebook);
  assert.equal(text.code, 0);
  assert.ok(text.out.startsWith(warnings), text.out);
});

test('code in a prose cell is an error before anything runs, as `check` reports it', async (t) => {
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    "// %% [markdown]\n// Text\nimport { from } from 'sluice';\n// %% id=b\nconsole.log('runs');\nexport {};\n",
  );
  const message =
    'This line is in a prose cell but is not a comment. TypeScript would run it, Sluice does not. Begin it with //.';
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.deepEqual([code, err], [1, '']);
  assert.deepEqual(lines, [{ cell: 'prose-1', error: { code: 'code-in-prose', message } }]);
  const text = await sluice('run', notebook);
  const line = `${notebook}  cell prose-1, 2:1  error code-in-prose  ${message}\n`;
  assert.deepEqual([text.code, text.out], [1, line]);
  const checked = await sluice('check', notebook);
  assert.ok(checked.out.includes(line), checked.out);
});
