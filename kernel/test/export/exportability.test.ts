// What a job keeps of a notebook, what it drops and why, and the problems that keep a notebook from
// being a job.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { checkTexts } from '../../export/check-export.ts';
import { checked, folder, lineOf, notebook, removedAfterTheFile, source } from './checked-notebook.ts';

removedAfterTheFile();

test('a job keeps what its sinks reach, and says of the rest why it is dropped', () => {
  const { exported, problems } = checked(
    `${source}orders;

// %% id=limits
const limit = 2;
const unused = 3;
console.log(unused, limit);

// %% id=totals
const totals = orders
  .filter((o) => o.k < limit)
  .keyBy('k')
  .window(tumbling('1s'))
  .aggregate({ n: count() });
totals.show();
const [first] = await totals.take(1).toArray();
first?.n;

// %% id=out
totals.toFile('totals.jsonl');
`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    exported.keeps.map(({ cell, line, because }) => `${cell}:${line} ${because}`),
    ['orders:1 generate', 'orders:2 orders', 'limits:1 limit', 'totals:1 totals', 'out:1 sink'],
  );
  assert.deepEqual(
    exported.drops.map(({ cell, line, reason, text }) => `${cell}:${line} ${reason}: ${text}`),
    [
      'orders:3 value: orders;',
      'limits:2 definition: const unused = 3;',
      'limits:3 effect: console.log(unused, limit);',
      'totals:6 display: totals.show();',
      'totals:7 pull: const [first] = await totals.take(1).toArray();',
      'totals:8 value: first?.n;',
    ],
  );
  assert.deepEqual(
    exported.captured.map(({ name, kind, value }) => [name, kind, value]),
    [['limit', 'literal', 2]],
  );
});

test('what is dropped becomes blanks, so lines and columns stay those of the notebook', () => {
  const { exported } = checked(`${source}orders.show(); orders.toFile('a'); console.log(\n1);\n`);
  const [cell] = exported.cells;
  assert.equal(cell!.text.split('\n')[2], "               orders.toFile('a');             ");
  assert.equal(cell!.text.split('\n').length, 4);
  assert.deepEqual(
    exported.cells.map(({ id }) => id),
    ['orders'],
  );
});

test('a statement that may change a kept value is kept', () => {
  const { exported, problems } = checked(
    `${source}
// %% id=rates
const rates = new Map<number, number>();
rates.set(1, 2);
const limits = [1];
limits.push(3);
let high = 5;
high = 6;
const settings = { low: 1 };
settings.low = 2;
Object.assign(settings, { low: 3 });
console.log(settings, limits);
const alias = limits;
alias.push(4);

// %% id=out
orders.filter((o) => (rates.get(o.k) ?? 0) < high && o.n > settings.low && limits.includes(o.k)).sink(() => {});
`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    exported.drops.map(({ text }) => text),
    ['console.log(settings, limits);'],
  );
});

test('sinks in functions, loops and modules of the user are found', () => {
  const { exported, problems } = checked(
    `${source}
// %% id=functions
import { write } from './write.ts';
const save = (name: string): void => { orders.toFile(name); };
function unusedSave(): void { orders.toFile('never'); }

// %% id=calls
for (const name of ['a', 'b']) save(name);
write(orders);
`,
    {
      'write.ts': `import type { Stream } from 'sluice';\nexport function write<T>(rows: Stream<T>): void { rows.toFile('c'); }\n`,
    },
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    exported.keeps.flatMap(({ cell, text }) => (cell === 'orders' ? [] : [text])),
    [
      "import { write } from './write.ts';",
      'const save = (name: string): void => { orders.toFile(name);…',
      "for (const name of ['a', 'b']) save(name);",
      'write(orders);',
    ],
  );
  assert.deepEqual(
    exported.modules.files.map((path) => path.split('/').at(-1)),
    ['write.ts'],
  );
});

test('streams that count for the ids of kept operators stay without their display', () => {
  const { exported, problems } = checked(
    `${source}
// %% id=out
const low = 1;
orders.filter((o) => o.k < low).show();
console.log(await orders.filter((o) => o.k === 2).take(1).toArray());
orders.filter((o) => o.k > 0).toFile('out');
`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(exported.cells.at(-1)!.text.trimEnd().split('\n'), [
    'const low = 1;',
    'orders.filter((o) => o.k < low);       ',
    '                 ;orders.filter((o) => o.k === 2).take(1);           ',
    "orders.filter((o) => o.k > 0).toFile('out');",
  ]);
  const moved = checked(
    `${source}
// %% id=out
for (const k of [1, 2]) orders.filter((o) => o.k === k).show();
orders.filter((o) => o.k > 0).toFile('out');
`,
  );
  assert.match(moved.problems.join('\n'), /^out 1:1 error ids-move The job drops this statement/);
});

test('a notebook without a sink is no job', () => {
  const { problems, exported } = checked(`${source}orders.show();\n`);
  assert.deepEqual(problems, [
    ' 1:1 error no-sink This notebook has no sink, so a Node job of it would do nothing. Add one: to(), toFile() or sink().',
  ]);
  assert.deepEqual(exported.cells, []);
});

test('each value that cannot go into a job is named, with its cell and its line', () => {
  const text = `${source}
// %% id=values
import { connect } from 'node:net';
class Model { weight = 1; score(n: number): number { return n * this.weight; } }
const model = new Model();
const socket = connect(9092);
const startedAt = Date.now();
const salt = Math.random();
const region = process.env['REGION'];
const seeds = await Promise.resolve([1, 2]);
const later = startedAt + 1000;
const fine = { at: new Date('2026-01-01T00:00:00Z'), names: new Set(['a']), rates: new Map([['a', 1]]) };

// %% id=out
orders
  .filter((o) => model.score(o.n) > 0)
  .filter(() => socket.writable)
  .filter((o) => o.n < later && salt < 2 && region !== '' && seeds.length > 0 && fine.names.size > 0)
  .sink(() => {});
`;
  const { problems, exported } = checked(text);
  const flink = checked(text, {}, 'flink').problems;
  assert.deepEqual(
    problems.map((line) =>
      /^(\S* \d+):\d+ (\w+ \S+) .*?(?:captures (\w+) of cell "values", (?:which )?(.*?)(?:: a live|\. The job )|$)/
        .exec(line)!
        .slice(1)
        .join(' | '),
    ),
    [
      'out 2 | error captured-live | model | an instance of Model',
      'out 3 | error captured-live | socket | connect() of node:net',
      'out 4 | warning captured-unsteady | later | depends on the clock',
      'out 4 | warning captured-unsteady | salt | depends on randomness',
      'out 4 | warning captured-unsteady | region | depends on the environment',
      'out 4 | warning captured-unsteady | seeds | depends on await',
    ],
  );
  // Each task manager would read its own environment. The others have the value of the export.
  assert.deepEqual(
    flink.flatMap((line) => /error captured-unsteady .*?captures (\w+)/.exec(line)?.[1] ?? []),
    ['region'],
  );
  assert.deepEqual(
    exported.constants.captured.map(({ name }) => name),
    ['later', 'salt', 'seeds', 'fine'],
  );
  assert.equal(exported.captured.find(({ name }) => name === 'fine')?.kind, 'constant');
});

test('errors of TypeScript and assignments to captured variables come with the others, each once', () => {
  const text = `${source}let last = 0;\nconst n: string = 1;\norders.sink((o) => { last = o.n; });\n`;
  writeFileSync(notebook, text);
  const { problems, exported } = checkTexts(notebook, 'node');
  assert.deepEqual(problems.map(lineOf), [
    "orders 4:7 error ts2322 Type 'number' is not assignable to type 'string'.",
    'orders 5:22 error captured-assignment This function assigns to last, which it captures: the value would be neither saved nor shared. Keep it in keyed state, or in the elements.',
  ]);
  assert.deepEqual(
    exported?.drops.map((one) => one.text),
    ['const n: string = 1;'],
  );
});

test('each missing package of one helper is told', () => {
  const helper = "import { a } from 'gone-a';\nimport { b } from 'gone-b';\nexport const sum = a + b;\n";
  writeFileSync(join(folder, 'sums.ts'), helper);
  // A service of its own needs a path of its own: TypeScript keeps texts by path and version.
  const other = join(folder, 'other.sluice.ts');
  writeFileSync(other, `${source}import { sum } from './sums.ts';\norders.sink(() => void sum);\n`);
  assert.deepEqual(checkTexts(other, 'node').problems.map(lineOf), [
    'orders 3:21 error not-bundled "gone-a" cannot be bundled: it is not installed. npm install gone-a',
    'orders 3:21 error not-bundled "gone-b" cannot be bundled: it is not installed. npm install gone-b',
  ]);
});

test('an import that cannot be bundled is refused, and packages with native parts stay dependencies', () => {
  const packages = {
    'node_modules/native/package.json': '{"name":"native","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
    'node_modules/native/index.js': 'exports.n = 1;',
    'node_modules/native/index.d.ts': 'export const n: number;',
    'node_modules/native/build/Release/native.node': '',
    'node_modules/plain/package.json': '{"name":"plain","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
    'node_modules/plain/index.js': 'exports.m = 1;',
    'node_modules/plain/index.d.ts': 'export const m: number;',
    'node_modules/locked/package.json': '{"name":"locked","version":"2.0.0","main":"index.js","types":"index.d.ts"}',
    'node_modules/locked/index.js': 'exports.k = 1;',
    'node_modules/locked/index.d.ts': 'export const k: number;',
    'node_modules/locked/binding.gyp': '{}',
    'package-lock.json': JSON.stringify({ packages: { 'node_modules/locked': { version: '2.0.0' } } }),
    'more.ts': "import { m } from 'plain';\nexport const more = m + 1;\n",
  };
  const { problems, exported } = checked(
    `${source}
// %% id=out
import { n } from 'native';
import { k } from 'locked';
import missing from 'missing';
import { more } from './more.ts';
import { readFileSync } from 'node:fs';
const name = 'x' + n;
orders.sink(async () => { await import(name); readFileSync('a'); return void [more, k, missing]; });
`,
    packages,
  );
  assert.deepEqual(problems, [
    'out 1:19 error not-bundled "native" has a native part, so it stays a dependency of the job. No package-lock.json beside it names its version. npm install native writes one.',
    'out 3:21 error not-bundled "missing" cannot be bundled: it is not installed. npm install missing',
    'out 7:33 error not-bundled This import() computes the name of its module, so it cannot be bundled. Write the name as a text.',
  ]);
  assert.deepEqual(
    exported.modules.bundled.map(({ specifier, native }) => [specifier, native]),
    [
      ['locked', 'binding.gyp'],
      ['plain', undefined],
    ],
  );
});
