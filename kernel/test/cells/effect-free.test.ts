// Which functions are known to have no effect: what may be called once more for a display.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { CellCompiler } from '../../cells/compile.ts';

/** What the compiled cell says of the function literal in it. */
function isFree(literal: string, before = ''): boolean {
  const text = `${before}\nstream.map(${literal});`;
  const compilation = new CellCompiler().compile('a', [
    { id: 'a', kind: 'code', text },
    { id: 'b', kind: 'code', text: "import { generate } from 'sluice';\nconst stream = generate({}, () => 1);" },
  ]);
  assert.ok(compilation.ok, text);
  const call = compilation.compiled.code.slice(compilation.compiled.code.indexOf('stream.map('));
  assert.match(call, /\$\.fn\(/);
  return /, void 0, true\)\);/.test(call);
}

describe('functions without an effect', () => {
  for (const literal of [
    '(r) => r',
    '(r) => ({ ...r, mean: r.total / r.n })',
    '({ windowEnd, n = 0, ...rest }) => ({ at: windowEnd, n: n > 0 ? n : -1, rest })',
    '(r) => { const rate = r.n / 10; return { rate, text: `${r.user}: ${rate.toFixed(1)}` }; }',
    '(r) => [Math.round(r.total), Number(r.text), new Date(r.at).toISOString()]',
    '(r) => r.list.filter((v) => v > limit).map((v, i) => v * i).join()',
    'function (r) { if (r.n > limit) return null; return r!.n as number; }',
    '(r) => Object.entries(r)[0]?.[1] ?? undefined',
    '(r) => r.name.replace(/a/g, "b").toUpperCase()',
  ])
    test(literal, () => assert.equal(isFree(literal, 'const limit = 5;'), true));

  test.each([
    ['a counter', '(r) => ({ ...r, seen: ++seen })', 'let seen = 0;'],
    ['another counter', '(r) => { seen += 1; return r; }', 'let seen = 0;'],
    ['a line in the log', '(r) => { console.log(r); return r; }', ''],
    ['a line in the log on the way', '(r) => (console.log(r), r)', ''],
    ['a set of what was seen', '(r) => seen.add(r.id)', 'const seen = new Set();'],
    ['a list that changes', '(r) => r.list.push(1)', ''],
    ['a list that is sorted in place', '(r) => r.list.sort()', ''],
    ['a helper of the notebook', '(r) => tidy(r)', 'const tidy = (r) => r;'],
    ['a function in a row', '(r) => r.run()', ''],
    ['a function in a row that a method calls', '(r) => r.list.map(r.run)', ''],
    ['another one', '({ list, run }) => list.replace("a", run)', ''],
    ['a name that every object has', '(r) => constructor.map(r)', ''],
    ['something of a package', '(r) => ({ ...r, n: shared })', "import { shared } from 'some-package';"],
    ['a name that hides a function of JavaScript', '(r) => Number(r.n)', 'const Number = (n) => { console.log(n); };'],
    ['a package that hides one', '(r) => Math.max(r.n)', "import { Math } from 'some-package';"],
    ['the time of the call', '(r) => ({ ...r, at: new Date() })', ''],
    ['a loop', '(r) => { for (;;); }', ''],
    ['a promise', 'async (r) => r', ''],
    ['a generator', 'function* (r) { yield r; }', ''],
    ['another object', '(r) => new Counter(r)', 'class Counter {}'],
    ['a field that is set', '(r) => (r.n = 1)', ''],
    ['a field that is removed', '(r) => delete r.n', ''],
    ['a getter', '(r) => ({ get n() { return r.n; } })', ''],
    ['a template of its own', '(r) => String.raw`${r}`', ''],
    ['a function that is made here', '(r) => ((f) => f(r))(console.log)', ''],
    ['this', 'function (r) { return this; }', ''],
    ['a thrown error', '(r) => { throw r; }', ''],
  ])('not: %s', (_what, literal, before) => assert.equal(isFree(literal, before), false));
});
