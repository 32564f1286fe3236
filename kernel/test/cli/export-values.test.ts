// What an exported job has of its notebook: the values of its constants, and the sources of its
// packages. What cannot go into a job is a diagnostic that names the cell.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, start } from './job-process.ts';
import { sluice } from './sluice.ts';

const timeout = { timeout: 600_000 };

test('a job has the values of its constants from the export, with the parameters of its start', timeout, async (t) => {
  const folder = folderOf(t, {
    'rates.json': '{"0":10,"1":20}',
    'n.sluice.ts': `// %% id=values
import { readFile } from 'node:fs/promises';
import { from, param } from 'sluice';
import { fail } from 'failing';
const rates = new Map(Object.entries(JSON.parse(await readFile(new URL('./rates.json', import.meta.url), 'utf8')) as Record<string, number>));
const startedAt = Date.now();
const day = new Date(startedAt);
const big = BigInt('9007199254740993');
const limit = Number(param('limit', 2));
const text = param('broken', 'no') === 'yes' ? fail() : 'fine';

// %% id=out
from([0, 1, 5])
  .filter((n) => n < limit)
  .map((n) => ({ n, rate: rates.get(String(n)) ?? 0, at: day, big: String(big), text }))
  .toFile('rows.jsonl');
`,
    'node_modules/failing/package.json': '{"name":"failing","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
    'node_modules/failing/index.js':
      '// A comment that a bundle drops.\n\nexports.fail = () => {\n  throw new Error("no luck");\n};\n',
    'node_modules/failing/index.d.ts': 'export declare function fail(): string;\n',
  });
  const before = Date.now();
  const job = await exported(folder);
  const after = Date.now();
  rmSync(join(folder, 'rates.json'));
  rmSync(join(folder, 'node_modules'), { recursive: true });
  const rowsOf = async (environment: Readonly<Record<string, string>>): Promise<readonly unknown[]> => {
    const life = start(job, { SLUICE_HTTP_PORT: 'off', ...environment });
    assert.equal((await life.ended).code, 0, JSON.stringify(life.log()));
    return readFileSync(join(job, 'rows.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  };
  const first = (await rowsOf({})) as readonly { readonly n: number; readonly rate: number; readonly at: string }[];
  assert.deepEqual(
    first.map(({ n, rate }) => [n, rate]),
    [
      [0, 10],
      [1, 20],
    ],
  );
  const at = Date.parse(first[0]!.at);
  assert.ok(at >= before && at <= after, 'the clock of the export');
  assert.equal((first[0] as unknown as { readonly big: string }).big, '9007199254740993');
  // Another application evaluates the cells anew, and has the same values.
  const others = await rowsOf({ SLUICE_APPLICATION_ID: 'n-2', SLUICE_PARAM_limit: '1' });
  assert.deepEqual(others, [first[0]]);
  // The map of the job covers its packages.
  const failing = spawn(
    process.execPath,
    ['--enable-source-maps', '--disable-warning=ExperimentalWarning', join(job, 'job.cjs')],
    {
      cwd: job,
      env: {
        PATH: process.env['PATH'],
        SLUICE_HTTP_PORT: 'off',
        SLUICE_APPLICATION_ID: 'n-3',
        SLUICE_PARAM_broken: 'yes',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  failing.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  assert.equal(await new Promise((resolve) => failing.on('close', resolve)), 1);
  assert.match(said, /no luck/);
  const map = new SourceMap(JSON.parse(readFileSync(join(job, 'job.cjs.map'), 'utf8')) as SourceMapPayload);
  const lines = readFileSync(join(job, 'job.cjs'), 'utf8').split('\n');
  const line = lines.findLastIndex((text) => text.includes('no luck'));
  const { originalSource, originalLine } = map.findEntry(
    line,
    lines[line]!.indexOf('new Error("no luck")'),
  ) as SourceMapping;
  assert.deepEqual([originalSource, originalLine], ['node_modules/failing/index.js', 3]);
});

test('each bad input is a diagnostic that names the cell, and nothing is written', timeout, async (t) => {
  const head =
    "// %% id=a\nimport { count, from, kafka, tumbling } from 'sluice';\nconst rows = from([{ n: 1 }]);\n// %% id=out\n";
  const inputs: Readonly<Record<string, readonly [text: string, expected: RegExp]>> = {
    'no-sink': ['rows.show();', /no-sink.*This notebook has no sink/s],
    clock: [
      "kafka<{ k: string }>('t').keyBy('k').window(tumbling('1s', { time: 'processing' })).aggregate({ n: count() }).to('o', { delivery: 'exactly-once' });",
      /cell out.*exactly-once-by-clock|exactly-once-by-clock/s,
    ],
    import: ["import { x } from 'gone';\nrows.sink(() => void x);", /"gone" cannot be bundled: it is not installed/],
    broken: [
      "import 'broken';\nimport x from 'broken';\nrows.sink(() => void x);",
      /"broken" cannot be bundled: Could not resolve/,
    ],
    live: [
      'const live = new AbortController();\nrows.sink(() => void live);',
      /captures live of cell "out", an instance of AbortController/,
    ],
    hidden: [
      'const make = (value: unknown): any => value;\nconst hidden = make(new AbortController());\nrows.sink(() => void hidden);',
      /captures hidden of cell "out", an instance of AbortController/,
    ],
    assigns: ['let last = 0;\nrows.sink((r) => { last = r.n; });', /This function assigns to last/],
    mutates: [
      'const seen: number[] = [];\nrows.sink((r) => { seen.push(r.n); });',
      /This function changes seen of cell "out".*seen\.push/,
    ],
    types: ['const n: string = 1;\nrows.sink(() => void n);', /Type 'number' is not assignable/],
  };
  const files = Object.entries(inputs).map(
    ([name, [text]]) => [`${name}.sluice.ts`, `${head}${text}\nexport {};\n`] as const,
  );
  const folder = folderOf(t, {
    ...Object.fromEntries(files),
    'node_modules/broken/package.json': '{"name":"broken","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
    'node_modules/broken/index.js': "require('./gone.js');\n",
    'node_modules/broken/index.d.ts': 'declare const x: number;\nexport default x;\n',
  });
  for (const [name, [, expected]] of Object.entries(inputs)) {
    const out = join(folder, `${name}-job`);
    const {
      code,
      out: said,
      err,
    } = await sluice('export', join(folder, `${name}.sluice.ts`), '--target', 'node', '--out', out);
    assert.equal(code, 1, name);
    assert.match(said + err, expected, name);
    if (name !== 'no-sink') assert.match(said, /\bout\b/, name);
    assert.equal(existsSync(out), false, name);
  }
});
