// An allocation that V8 cannot make ends the whole process of `sluice run`, in whatever thread it
// happens. The error that names the cell is printed by a process that outlives it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Folder, sluice } from './sluice.ts';

const healthy = `// %% id=good
import { from } from 'sluice';
const numbers = from([1, 2, 3]);
numbers.show();
`;
/** Above 32 million elements, an array is a table. Its growth is one allocation. */
const huge = 'new Array(2 ** 26).fill(0)';

for (const [what, text, where] of [
  ['a cell', `const big = ${huge};`, 'cell "big"'],
  ['an operator', `numbers.map((n) => ${huge}.length + n).show();`, 'map of cell "big"'],
  ['a timer', `setTimeout(() => ${huge}, 100);\nawait new Promise(() => {});`, 'cell "big"'],
  ['the rest of a cell behind an await', `await Promise.resolve();\nconst big = ${huge};`, 'cell "big"'],
] as const)
  test(`${what} that ends the process is named, with the way out`, { timeout: 300_000 }, async (t) => {
    const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=big\n${text}\n`);
    const { code, out, err } = await sluice('run', notebook, '--memory', '64', '--json');
    assert.notEqual(code, 0, out);
    assert.match(err, /JavaScript heap out of memory/, 'V8 has ended the process, not the thread');
    const last = JSON.parse(out.trimEnd().split('\n').at(-1)!) as { cell: string; error: Record<string, string> };
    assert.equal(last.cell, 'big');
    assert.equal(last.error['code'], 'process-ended');
    assert.ok(last.error['message']?.startsWith(`The process has ended in the middle of ${where}. `), out);
    assert.match(last.error['message']!, /Make its array, text or map smaller/);
  });

test('a timer of a cell that has run is not named, and its end is an error', { timeout: 300_000 }, async (t) => {
  const text = `numbers.mapAsync(() => new Promise(() => {})).show();\nsetTimeout(() => ${huge}, 3000);`;
  const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=big\n${text}\n`);
  const { code, out } = await sluice('run', notebook, '--memory', '64', '--json');
  assert.notEqual(code, 0, out);
  assert.match(out, /The process has ended in the middle of a timer or a callback of a cell\. Most likely/);
});

test('a job with a slow cell that ends well has no last words', { timeout: 300_000 }, async (t) => {
  const slow = 'const until = Date.now() + 400; while (Date.now() < until);';
  const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=slow\n${slow}\n`);
  const { code, lines, err } = await sluice('run', notebook, '--json');
  assert.equal(code, 0, err);
  assert.ok(lines.at(-1)?.metrics, 'the metrics are the last line');
});
