// Evaluation of cells: their variables and displays, the restored cells after the end of an
// executor, and the positions of errors.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'vitest';
import { functionHash } from '../../../engine/graph/fingerprint.ts';
import { withoutSourceMap } from '../../cells/source-map.ts';
import { TestNotebook } from './cells-of.ts';

test('a cell gives its names to others and shows its last expression', async (t) => {
  const notebook = new TestNotebook(t, {
    a: 'export const n = 2;\nlet m = n;\nm++;\nfunction twice(x: number): number { return 2 * x; }\nenum Color { Red, Blue }\ninterface Row { n: number }',
    b: 'const { x, ...rest } = { x: twice(n + m), y: Color.Blue };\nx;;\n',
  });
  const a = await notebook.run('a');
  assert.equal(a.last, undefined);
  assert.deepEqual(Object.keys(a.out), ['n', 'm', 'twice', 'Color']);
  assert.equal(a.out['m'], 3);
  const b = await notebook.run('b');
  assert.equal(b.last, 10);
  assert.deepEqual(b.out, { x: 10, rest: { y: 1 } });
});

test('each declaration is announced before it is initialised, other statements as none', async (t) => {
  const notebook = new TestNotebook(t, {
    a: 'const a = 1, b = await Promise.resolve(2);\nconst [c, { d }] = [3, { d: 4 }];\na + b;\nif (a) { void d; }\nconst e = () => c;',
  });
  await notebook.run('a');
  assert.deepEqual(notebook.variables.get('a'), ['a', 'b', 'c,d', '', '', 'e']);
});

test('a cell uses no name that only looks like another cell’s', (t) => {
  const notebook = new TestNotebook(t, {
    a: 'const orders = 1;\nconst count = 2;\ntype Order = { orders: number };',
    b: 'const f = (orders: number) => orders + 1;\nconst row: Order = { orders: 3 };\nrow.orders;\n{ const count = 1; void count; }\ntype T = typeof count;',
    c: 'const g = { count };',
  });
  assert.deepEqual(notebook.compile('b').uses, []);
  assert.deepEqual(notebook.compile('c').uses, [{ name: 'count', cell: 'a' }]);
});

test('a name that another cell declares too is the cell’s own: who has it first is the session’s to say', async (t) => {
  const notebook = new TestNotebook(t, { a: 'let totals = 1;', b: 'let totals = 2;\ntotals++;\ntotals;' });
  assert.deepEqual(notebook.compile('b').uses, []);
  assert.equal((await notebook.run('b')).last, 3);
});

test('what runs is the same for texts that differ in comments and types only', (t) => {
  const scriptOf = (text: string) => withoutSourceMap(new TestNotebook(t, { a: text }).compile('a').code);
  const script = scriptOf('const f = (x) => x + 1;\nf(1);');
  assert.equal(scriptOf('// why\nconst f = (x: number): number =>   x + 1; // so\n\nf(1)'), script);
  assert.ok(script.endsWith('\n'));
});

test('only the declaring cell may assign to a variable', (t) => {
  const notebook = new TestNotebook(t, { a: 'let n = 1;', b: 'const x = 2;\n[n] = [x];' });
  assert.deepEqual(
    notebook.diagnostics('b').map(({ code, line, column }) => ({ code, line, column })),
    [{ code: 'foreign-assignment', line: 2, column: 2 }],
  );
});

const syntax = {
  'const a = ;': [1, 11],
  'const ok = 1;\nreturn ok;': [2, 1],
  'const a = 1;\nconst a = 2;': [2, 7],
  '\n\nbreak;': [3, 1],
  'const a = `\n\n`;\nfunction f() { await a; }': [4, 16],
  'if (true) {': [1, 12],
  'const b = 1\r\nconst c = b b;': [2, 13],
};
for (const [text, [line, column]] of Object.entries(syntax))
  test(`what cannot run is refused with its place: ${JSON.stringify(text)}`, (t) => {
    const [first] = new TestNotebook(t, { a: 'const other = 1;', b: text }).diagnostics('b');
    assert.deepEqual([first?.code, first?.cell, first?.line, first?.column], ['syntax', 'b', line, column]);
  });

test('a type error is no reason not to run', async (t) => {
  const notebook = new TestNotebook(t, { a: 'const n: number = "text";\nn' });
  assert.equal((await notebook.run('a')).last, 'text');
});

test('data come back after the end of an executor, functions are made again', async (t) => {
  let calls = 0;
  let iterated = 0;
  Object.assign(globalThis, {
    sluiceTestCall: () => ++calls,
    sluiceTestRows: async function* () {
      for (let i = 0; i < 3; i++) yield ++iterated;
    },
  });
  t.onTestFinished(() => {
    Reflect.deleteProperty(globalThis, 'sluiceTestCall');
    Reflect.deleteProperty(globalThis, 'sluiceTestRows');
  });
  const notebook = new TestNotebook(t, {
    a: `declare function sluiceTestCall(): number;
declare function sluiceTestRows(): AsyncIterable<number>;
const first = sluiceTestCall();
const f = { call: sluiceTestCall() , run: () => first };
const list: number[] = [sluiceTestCall()];
list.push(await Promise.resolve(sluiceTestCall()));
for await (const row of sluiceTestRows()) list.push(row);
const sum = [1, 2].map(() => sluiceTestCall() && 0).length;
let n = new Date(sluiceTestCall());
n = new Date(7);
for (let i = 0; i < 2; i++) list.push(await Promise.resolve(sluiceTestCall()));
list;`,
  });
  const before = await notebook.run('a');
  const callsBefore = calls;
  assert.deepEqual(before.last, [3, 4, 1, 2, 3, 8, 9]);
  const kept = structuredClone(before.kept);
  const after = await notebook.run('a', kept);
  assert.deepEqual(after.last, before.last);
  assert.equal(after.out['first'], 1);
  assert.deepEqual(after.out['n'], new Date(7));
  assert.equal(iterated, 3);
  // Only values that hold a function were evaluated again.
  assert.equal(calls, callsBefore + 1);
  assert.deepEqual(structuredClone(after.kept), kept);
});

// --------------------------------------------------------------------------- captures of functions

async function hashOf(t: TestContext, cells: Record<string, string>): Promise<string> {
  const notebook = new TestNotebook(t, cells);
  for (const id of Object.keys(cells)) await notebook.run(id);
  return functionHash(notebook.values['f'] as object, { fallback: 'nobody said' });
}
const base = {
  a: 'const limit = 10;\nfunction half(x: number) { return x / 2; }',
  b: 'const f = (x: number) => half(x) > limit;',
};

test('a comment, a type or another line in the cell changes no fingerprint', async (t) => {
  const hash = await hashOf(t, base);
  assert.notEqual(
    hash,
    await hashOf(t, {
      a: 'const half = (x: number) => x; const limit = 10;',
      b: 'const f = globalThis.eval("(x) => x")',
    }),
  );
  assert.equal(
    hash,
    await hashOf(t, {
      ...base,
      b: '// why\nconst z = 1;\nconst f = (x: number): boolean =>\n  /* so */ half(x) > limit;',
    }),
  );
  assert.equal(hash, await hashOf(t, { ...base, a: `${base.a}\nconst other = 2;` }));
});
test('a captured constant, a captured function’s text or what that captures changes it', async (t) => {
  const hash = await hashOf(t, base);
  assert.notEqual(hash, await hashOf(t, { ...base, a: base.a.replace('10', '11') }));
  assert.notEqual(hash, await hashOf(t, { ...base, a: base.a.replace('x / 2', 'x / 3') }));
  const nested = { a: 'const k = 1;\nconst half = (x: number) => x * k;\nconst limit = 10;', b: base.b };
  assert.notEqual(await hashOf(t, nested), await hashOf(t, { ...nested, a: nested.a.replace('k = 1', 'k = 2') }));
});
test('a variable of an enclosing loop is captured, a parameter of the same name is not', async (t) => {
  const text = 'let f: unknown;\nfor (const k of [1]) f = (x: number) => x + k;';
  const hash = await hashOf(t, { a: text });
  assert.notEqual(hash, await hashOf(t, { a: text.replace('[1]', '[2]') }));
  const parameter = (n: number) => ({ a: `const limit = ${n};`, b: 'const f = (limit: number) => limit;' });
  assert.equal(await hashOf(t, parameter(1)), await hashOf(t, parameter(2)));
});
test('a function literal keeps the name that JavaScript would give it', async (t) => {
  const notebook = new TestNotebook(t, {
    a: 'const f = (x: number) => x;\nconst o = { g: () => 1, m() { return f(2); } };\nclass K { h() { return 1; } }\nexport default function d() { return K; }',
  });
  const { out } = await notebook.run('a');
  const { f, o, d } = out as { f: () => void; o: { g: () => void; m: () => number }; d: () => object };
  assert.deepEqual([f.name, o.g.name, o.m(), d.name], ['f', 'g', 2, 'd']);
  assert.equal(f.toString(), '(x) => x');
});

test('$ is a name like any other', async (t) => {
  const notebook = new TestNotebook(t, { a: 'const $ = 3;\nconst text = `${$}$`;\ntext;' });
  assert.equal((await notebook.run('a')).last, '3$');
});

// ----------------------------------------------------------------------------- positions of errors

const throwing: Record<string, readonly [text: string, line: number, column: number]> = {
  'in the third line': ['const a = 1;\n\nthrow new Error("x");', 3, 7],
  'after a template of several lines': ['const a = `one\ntwo ${1}\nthree`;\nnope();', 4, 1],
  'after a comment and types': [
    '/* a\nb */\ninterface A { x: number }\nconst a: A = { x: 1 };\n(a as any).nope();',
    5,
    12,
  ],
  'in a function of the cell': ['const f = () => {\n  throw new Error("x");\n};\nf();', 2, 9],
  'after an await': ['await Promise.resolve();\nconst a = 1;\n(undefined as any).x;', 3, 20],
  'in an async function, after its await': [
    'async function go() {\n  await Promise.resolve(1);\n  throw new Error("x");\n}\nawait go();',
    3,
    9,
  ],
  'in an argument of a function literal’s call': [
    'const xs = [1].map((x) => x);\nconst b = xs.map(nope).map((x) => x);',
    2,
    18,
  ],
  'in the second of two declarations': ['const a = 1,\n  b = nope();', 2, 7],
};
for (const [name, [text, line, column]] of Object.entries(throwing))
  for (const eol of ['\n', '\r\n'])
    test(`an error ${name} is found in the cell's own line (${JSON.stringify(eol)})`, async (t) => {
      const notebook = new TestNotebook(t, {
        one: 'const first = `a\nb`;',
        two: '',
        three: text.replaceAll('\n', eol),
      });
      const error: unknown = await notebook.run('three').then(
        () => assert.fail('did not throw'),
        (reason: unknown) => reason,
      );
      const place = notebook.places.locate(error);
      assert.deepEqual(
        { ...place, version: undefined },
        { cell: 'three', version: undefined, line, column, excerpt: text.split('\n')[line - 1] },
      );
      assert.match(notebook.places.stack(error)[0] ?? '', new RegExp(`cell three:${line}:${column}$`));
    });

test('the error of a function that is called later has its place in the text that made it', async (t) => {
  const notebook = new TestNotebook(t, { a: '\nconst f = () => {\n  throw new Error("x");\n};' });
  await notebook.run('a');
  const old = notebook.values['f'] as () => void;
  notebook.edit('a', 'const f = () => { throw new Error("x"); };');
  await notebook.run('a');
  const placeOf = (run: () => void) => {
    try {
      run();
    } catch (error) {
      return notebook.places.locate(error);
    }
    return undefined;
  };
  assert.deepEqual([placeOf(old)?.version, placeOf(old)?.line], [1, 3]);
  assert.deepEqual(
    [placeOf(notebook.values['f'] as () => void)?.version, placeOf(notebook.values['f'] as () => void)?.line],
    [2, 1],
  );
});

test('what is thrown and no error has no place', async (t) => {
  const notebook = new TestNotebook(t, { a: 'throw "text"' });
  const error: unknown = await notebook.run('a').catch((reason: unknown) => reason);
  assert.equal(notebook.places.locate(error), undefined);
});
