// What a cell of `sluice run` leaves behind or does to its thread is an error of that cell: a
// promise that nobody awaits, a timer that throws, process.exit, a call that does not return.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { Folder, type JsonLine, sluice } from './sluice.ts';

const timeout = { timeout: 300_000 };
const rows = (lines: readonly JsonLine[], cell: string): unknown[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [line.row] : []));
const errorsOf = (lines: readonly JsonLine[], cell: string | undefined): readonly string[] =>
  lines.flatMap((line) => (line.cell === cell && line.error ? [line.error.message] : []));

const healthy = `// %% id=good
import { from } from 'sluice';
from([1, 2, 3]).show();
`;
const cells: readonly { readonly what: string; readonly text: string; readonly message: RegExp }[] = [
  {
    what: 'a promise that nobody awaits',
    text: `void Promise.reject(new Error('nobody waits'));`,
    message: /^Uncaught error \(line 1\): Error: nobody waits$/,
  },
  {
    what: 'a rejection without an error',
    text: `void Promise.reject('a text');`,
    message: /^Uncaught error: Thrown: a text$/,
  },
  {
    what: 'a timer that throws',
    text: `setTimeout(() => { throw new Error('too late'); }, 10);\nawait new Promise((done) => setTimeout(done, 300));`,
    message: /^Uncaught error \(line 1\): Error: too late$/,
  },
  {
    what: 'an error event of Node that nobody hears',
    text: `import { connect } from 'node:net';\nconnect({ host: '127.0.0.1', port: 1 });\nawait new Promise((done) => setTimeout(done, 300));`,
    message: /^Uncaught error: Error: connect ECONNREFUSED 127\.0\.0\.1:1$/,
  },
  {
    what: 'a timer that throws a text',
    text: `setTimeout(() => { throw 'too late'; }, 10);\nawait new Promise((done) => setTimeout(done, 300));`,
    message: /^Uncaught error: Thrown: too late$/,
  },
  { what: 'process.exit', text: 'process.exit(0);', message: /^process\.exit\(\) is not available in a cell/ },
  {
    what: 'process.exit of an import',
    text: `import { exit } from 'node:process';\nexit();`,
    message: /^process\.exit\(\) is not available in a cell/,
  },
  {
    what: 'process.exit in a timer',
    text: `setTimeout(() => process.exit(0), 10);\nawait new Promise((done) => setTimeout(done, 300));`,
    message: /^Uncaught error \(line 1\): process\.exit\(\) is not available in a cell/,
  },
  {
    what: 'process.exit in an operator',
    text: `from([1]).map((n) => { process.exit(0); return n; }).show();`,
    message: /process\.exit\(\) is not available in a cell/,
  },
];

describe('a cell of a job, while the other cells finish', () => {
  for (const { what, text, message } of cells)
    test(what, timeout, async (t) => {
      const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=bad\n${text}\n`);
      const { code, lines, err } = await sluice('run', notebook, '--json');
      assert.equal(code, 1, err);
      assert.deepEqual(rows(lines, 'good'), [1, 2, 3]);
      const errors = errorsOf(lines, 'bad');
      assert.equal(errors.length, 1);
      assert.match(errors[0]!, message);
      assert.deepEqual(errorsOf(lines, undefined), [], 'the thread has not ended');
    });
});

test('a timer that throws again and again is one error', timeout, async (t) => {
  const text = `setInterval(() => { throw new Error('again'); }, 5);\nawait new Promise((done) => setTimeout(done, 500));`;
  const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=bad\n${text}\n`);
  const { code, lines } = await sluice('run', notebook, '--json');
  assert.equal(code, 1);
  assert.equal(errorsOf(lines, 'bad').length, 1);
});

test('an operator that does not return is named when the time is over', timeout, async (t) => {
  const text = `from([1]).map((n) => { for (;;); return n; }).show();`;
  const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=bad\n${text}\n`);
  // Runs for a longer time until the operator has begun: the machine may be busy.
  for (let seconds = 10; ; seconds *= 3) {
    const { code, lines } = await sluice('run', notebook, '--json', '--for', `${seconds}s`);
    const errors = errorsOf(lines, 'bad').join('\n');
    if (seconds < 90 && !errors.includes('map')) continue;
    assert.equal(code, 1);
    assert.match(errors, /map.* had not returned for [\d.]+ s when the job ended/);
    return;
  }
});

test('the cell that needs too much memory is named, and what is lost is said', timeout, async (t) => {
  const text = `const kept: unknown[] = [];
from([1]).map((n) => { for (;;) kept.push(new Array(1_000_000).fill(n + 0.5)); return n; }).show();`;
  const notebook = new Folder(t).write('a.sluice.ts', `${healthy}// %% id=bad\n${text}\n`);
  const { code, lines } = await sluice('run', notebook, '--json', '--memory', '200');
  assert.equal(code, 1);
  assert.match(
    errorsOf(lines, 'bad').join('\n'),
    /(?:needed|held) more memory .* All cells have stopped, so results are missing/,
  );
});

test('control characters of a cell’s output and of the command line do not reach the terminal', timeout, async (t) => {
  const escape = '\u001b]0;title\u0007';
  const notebook = new Folder(t).write(
    'a.sluice.ts',
    `${healthy}// %% id=bad\nprocess.stdout.write(${JSON.stringify(`${escape}é\n`)});\nprocess.stderr.write('\\u009b31mred\\n');\n`,
  );
  const runs = [
    await sluice('run', notebook, '--json'),
    await sluice(escape),
    await sluice('run', `--${escape}`),
    await sluice('run', notebook, '--for', escape),
    await sluice('run', notebook, escape),
    await sluice('serve', notebook, '--port', escape),
  ];
  for (const { out, err } of runs) {
    assert.ok(err.length > 0);
    assert.doesNotMatch(out + err, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }
  assert.match(runs[0]!.err, /\\x1b\]0;title\\x07é\n/);
  assert.match(runs[0]!.err, /\\x9b31mred/);
});
