// The constants of a job: evaluated at the export, written into the job, and refused where they
// cannot be.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { constantOf, constantText } from '../../cells/constant-text.ts';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { type ConstantValues, mostBytes } from '../../export/constant-values.ts';
import { constantValues } from '../../export/constants-thread.ts';
import { exportability } from '../../export/exportability.ts';
import { identify } from '../../protocol/cell-identity.ts';
import { parseNotebook } from '../../protocol/notebook-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-constants-'));
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const source = `// %% id=orders
import { generate, param } from 'sluice';
const orders = generate({ limit: 10 }, ({ n }) => ({ n, k: n % 3 }));
`;
interface Exported extends ConstantValues {
  readonly problemsOfTypes: readonly string[];
  /** As the job reads them. */
  readonly texts: Readonly<Record<string, unknown>>;
}
async function exported(text: string): Promise<Exported> {
  const parsed = parseNotebook(source + text);
  const identities = identify(parsed);
  service.update(parsed.map(({ kind, text: cell }, i) => ({ id: identities[i]!.id, kind, text: cell })));
  const found = exportability(notebook, 'node', service.typed());
  const constants = await constantValues(notebook, found);
  const texts = [...constants.byCell.values()].flatMap((cell) => Object.entries(cell));
  return {
    ...constants,
    problemsOfTypes: found.problems.map(
      ({ cell, line, severity, code, message }) => `${cell}:${line} ${severity} ${code} ${message}`,
    ),
    texts: Object.fromEntries(texts.map(([key, value]) => [key, constantOf(value)])),
  };
}

test('the values of captured constants are known at the export, whatever data they are', async () => {
  const { values, texts, problems, problemsOfTypes } = await exported(`
// %% id=values
const make = <T>(value: T): T => value;
const big = make(9007199254740993n);
const day = make(new Date('2026-01-02T03:04:05.678Z'));
const rates = make(new Map<string, unknown>([['CHF', { rate: 0.5, since: day }], ['EUR', -0]]));
const tags = make(new Set([1n, 'a', null, undefined]));
const bytes = make(new Uint8Array([1, 2, 255]));
const weights = make(new Float64Array([0.1, NaN, Infinity]));
const pattern = make(/^a+$/giu);
const nested = make({ list: [1, [2, { deep: [rates] }]], none: undefined, ['__proto__']: 3 });
const { low, high } = make({ low: 1, high: 2 });
const limits = make([3]);
limits.push(4);

// %% id=out
orders.sink(() => void [big, day, rates, tags, bytes, weights, pattern, nested, low, high, limits]);
`);
  assert.deepEqual([problems, problemsOfTypes], [[], []]);
  const rates = new Map<string, unknown>([
    ['CHF', { rate: 0.5, since: new Date('2026-01-02T03:04:05.678Z') }],
    ['EUR', -0],
  ]);
  const expected = {
    big: 9007199254740993n,
    day: new Date('2026-01-02T03:04:05.678Z'),
    rates,
    tags: new Set([1n, 'a', null, undefined]),
    bytes: new Uint8Array([1, 2, 255]),
    weights: new Float64Array([0.1, NaN, Infinity]),
    pattern: /^a+$/giu,
    nested: { list: [1, [2, { deep: [rates] }]], none: undefined, ['__proto__']: 3 },
  };
  assert.deepEqual(Object.fromEntries(values), { ...expected, low: 1, high: 2, limits: [3, 4] });
  // A job has what the definition gave. What changes it afterwards is evaluated again.
  assert.deepEqual(texts, { ...expected, 'low,high': { low: 1, high: 2 }, limits: [3] });
});

test('a value depends on the export, on the start, or on neither', async () => {
  writeFileSync(join(folder, 'rates.json'), '{"CHF":2}');
  const { texts, problemsOfTypes } = await exported(`
// %% id=values
import { readFile } from 'node:fs/promises';
const rates = JSON.parse(await readFile(new URL('./rates.json', import.meta.url), 'utf8')) as Record<string, number>;
const startedAt = Date.now();
const later = startedAt + 1000;
const limit = param('limit', 5);
const double = limit * 2;
const region = process.env['REGION'];
const first = await orders.take(1).toArray();
const seeds: number[] = [];
seeds.push(Math.random());

// %% id=out
orders.filter((o) => o.n < later && o.n < double && region !== '' && first.length > 0).sink(() => void rates);
orders.sink(() => void seeds);
`);
  assert.deepEqual(Object.keys(texts).sort(), ['rates', 'startedAt']);
  assert.deepEqual(texts['rates'], { CHF: 2 });
  assert.deepEqual(problemsOfTypes, [
    'out:1 warning captured-unsteady This function captures later of cell "values", which depends on the clock. The job has the value of the export. Give it as a param() to choose it when the job starts.',
    'out:1 warning captured-unsteady This function captures region of cell "values", which depends on the environment. The job evaluates it where it starts. Give it as a param() to see it in its configuration.',
    'out:1 warning captured-unsteady This function captures first of cell "values", which depends on await. The job evaluates it where it starts. Give it as a param() to see it in its configuration.',
    'out:1 warning captured-unsteady This function captures rates of cell "values", which depends on await. The job has the value of the export. Give it as a param() to choose it when the job starts.',
    'out:2 error captured-unsteady This function captures seeds of cell "values", which line 10 of cell "values" changes by randomness. Each start would change it anew. Compute it in its definition.',
  ]);
});

test('what a called function reads of the start is computed at the start', async () => {
  process.env['SLUICE_TEST_SECRET'] = 'of the export';
  const { texts, problemsOfTypes } = await exported(`
// %% id=values
const make = <T>(value: T): T => value;
const limit = param('limit', 5);
const f = () => limit * 2;
const double = f();
const read = () => () => process.env['SLUICE_TEST_SECRET'];
const secret = read()();
const makers = { limit: () => limit };
const made = makers.limit();
const list: unknown[] = make<unknown[]>([]);
const token = process.env['SLUICE_TEST_SECRET'];
list.push(token);
const steady = (() => 3)();

// %% id=out
orders.sink(() => void [double, secret, made, list, steady]);
`);
  assert.deepEqual(texts, { steady: 3 });
  const atStart =
    'which depends on the environment. The job evaluates it where it starts. Give it as a param() to see it in its configuration.';
  assert.deepEqual(problemsOfTypes, [
    `out:1 warning captured-unsteady This function captures secret of cell "values", ${atStart}`,
    `out:1 warning captured-unsteady This function captures list of cell "values", ${atStart}`,
  ]);
});

test('the environment, randomness and the clock are known in each way to write them', async () => {
  process.env['SLUICE_TEST_SECRET'] = 'of the export';
  const environment = [
    'env.SLUICE_TEST_SECRET',
    'renamed.SLUICE_TEST_SECRET',
    "process['env'].SLUICE_TEST_SECRET",
    'globalThis.process.env.SLUICE_TEST_SECRET',
    "(globalThis as any)['process'].env['SLUICE_TEST_SECRET']",
    'taken.SLUICE_TEST_SECRET',
    'everything.env.SLUICE_TEST_SECRET',
    'whole.env.SLUICE_TEST_SECRET',
    '({ ...process.env })',
    'own({ env }).SLUICE_TEST_SECRET',
    "(await import('node:process')).env.SLUICE_TEST_SECRET",
    'os.hostname()',
    'hostname()',
  ];
  const unsteady = [
    ...['Date()', 'new Date()', 'Date.now()', "Date['now']()", 'performance.now()'],
    ...['randomUUID()', "randomBytes(4).toString('hex')", 'nodeCrypto.randomInt(5)', 'crypto.randomUUID()', 'random()'],
  ];
  const steady = ["createHash('sha1').update('a').digest('hex')", 'new Date(3)', 'Math.abs(-1)', 'os.EOL', 'local(2)'];
  const names = (prefix: string, all: readonly string[]): readonly string[] => all.map((_, i) => `${prefix}${i}`);
  const defined = (prefix: string, all: readonly string[]): string =>
    all.map((text, i) => `const ${prefix}${i} = make(${text});\n`).join('');
  const { texts, problemsOfTypes } = await exported(`
// %% id=values
import { env, env as renamed } from 'node:process';
import everything from 'process';
import * as nodeCrypto from 'node:crypto';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import os, { hostname } from 'node:os';
const { env: taken } = process;
const whole = globalThis.process;
const { random } = Math;
const own = ({ env }: any): any => env;
const make = <T>(value: T): T => value;
const local = (process: number): number => process;
${defined('e', environment)}${defined('u', unsteady)}${defined('s', steady)}
// %% id=out
orders.sink(() => void [${[...names('e', environment), ...names('u', unsteady), ...names('s', steady)].join(', ')}]);
`);
  const dependent = problemsOfTypes.map((text) => /captures (\w+) of.*depends on (.*?)\. The job/.exec(text)!.slice(1));
  const on = (name: string): string | undefined => dependent.find(([one]) => one === name)?.[1];
  assert.deepEqual(
    names('e', environment).map((name, i) => [environment[i], /\bthe environment$/.test(on(name) ?? '')]),
    environment.map((text) => [text, true]),
  );
  assert.deepEqual(
    names('u', unsteady).map((name, i) => [unsteady[i], on(name)]),
    unsteady.map((text, i) => [text, i < 5 ? 'the clock' : 'randomness']),
  );
  assert.deepEqual(
    names('s', steady).map((name, i) => [steady[i], on(name)]),
    steady.map((text) => [text, undefined]),
  );
  const captured = Object.keys(texts).filter((name) => /^[eus]\d+$/.test(name));
  assert.deepEqual(captured.sort(), [...names('s', steady), ...names('u', unsteady)].sort());
  assert.ok(!JSON.stringify(Object.values(texts)).includes('of the export'));
});

test('a constant that is computed from a module depends on what that module reads', async () => {
  process.env['SLUICE_TEST_SECRET'] = 'of the export';
  writeFileSync(
    join(folder, 'deep.ts'),
    'export const deep = { token: process.env.SLUICE_TEST_SECRET };\nexport const at = Date.now();\n',
  );
  writeFileSync(
    join(folder, 'config.ts'),
    `import { deep } from './deep.ts';
import { param } from 'sluice';
export { at } from './deep.ts';
export const token = process.env.SLUICE_TEST_SECRET;
export const limit = param('limit', 5);
export const rates = { CHF: 2 };
export const url = () => 'https://' + deep.token;
export default { token: deep.token };
`,
  );
  writeFileSync(join(folder, 'late.ts'), "export let late = '';\nlate = process.env.SLUICE_TEST_SECRET ?? '';\n");
  const { texts, problemsOfTypes } = await exported(`
// %% id=values
import own, { at, limit, rates, token, url } from './config.ts';
import * as config from './config.ts';
import { late } from './late.ts';
const make = <T>(value: T): T => value;
const auth = make('Bearer ' + token);
const viaFunction = url();
const viaDefault = make(own.token + '');
const viaNamespace = make(config.token + '');
const viaAll = make({ ...config });
const viaLate = make(late + '');
const loaded = await import('./config.ts');
const viaImport = make(loaded.token + '');
const double = make(limit * 2);
const since = make(at + 1);
const rate = make(rates.CHF * 2);

// %% id=out
orders.sink(() => void [auth, viaFunction, viaDefault, viaNamespace, viaAll, viaLate, viaImport, double, since, rate]);
`);
  assert.deepEqual(Object.keys(texts).sort(), ['rate', 'since']);
  assert.deepEqual(
    problemsOfTypes.map(
      (text) => /captures (\w+) of.*depends on (.*?)\. The job/.exec(text)?.slice(1).join(': ') ?? text,
    ),
    [
      ...['auth', 'viaFunction', 'viaDefault', 'viaNamespace'].map((name) => `${name}: the environment`),
      'viaAll: the clock and the environment',
      'viaLate: the environment',
      'viaImport: await, the clock and the environment',
      'since: the clock',
    ],
  );
});

test('what is no data is refused at its capture, and functions are made again', async () => {
  const { problems, texts } = await exported(`
// %% id=values
const make = (value: unknown): any => value;
const socket = make({ inner: [new AbortController()] });
const promise = make(Promise.resolve(1));
const scale = make((n: number) => n * 2);
const table = make({ double: (n: number) => n * 2, limit: 3 });

// %% id=out
orders.map((o) => scale(table.double(o.n)))
  .sink(() => void [socket, promise]);
`);
  assert.deepEqual(
    problems.map(({ cell, line, code, message }) => `${cell}:${line} ${code} ${message.split(': ', 1)[0]}`),
    [
      'out:2 captured-live This function captures socket of cell "values", an instance of AbortController',
      'out:2 captured-live This function captures promise of cell "values", a Promise',
    ],
  );
  assert.deepEqual(texts, {});
});

test('a constant that is too large, or that cannot be evaluated, is an error with its cell', async () => {
  const large = await exported(`
// %% id=values
const text = 'x'.repeat(${mostBytes + 1});

// %% id=out
orders.sink(() => void text);
`);
  assert.deepEqual(
    large.problems.map(({ cell, line, code, message }) => `${cell}:${line} ${code} ${message}`),
    [
      'out:1 captured-too-large text of cell "values" takes 4.0 MB in a job, and the limit is 4 MB. Read it from a topic or a file when the job runs.',
    ],
  );
  const failing = await exported(`
// %% id=values
const read = (): number => { throw new Error('no rates today'); };
const rates = read();

// %% id=out
orders.sink(() => void rates);
`);
  assert.deepEqual(
    failing.problems.map(({ cell, line, code, message }) => `${cell}:${line} ${code} ${message}`),
    ['values:1 not-evaluated The export evaluates this cell, and it failed: Error: no rates today'],
  );
});

test('a function that changes an object which it captures is refused, with cell and line', async () => {
  const { problemsOfTypes } = await exported(`
// %% id=values
const seen: number[] = [];
const rates = new Map<number, number>();
const settings = { low: 1, deep: { n: 0 } };
const bytes = new Uint8Array(4);
const note = (n: number): void => { rates.set(n, 1); };
[1, 2].forEach((n) => seen.push(n));
const counter = { count: 0, next(): number { return 1; }, set(n: number): void { void n; } };

// %% id=out
orders.sink((o) => {
  seen.push(o.n);
  settings.deep.n += 1;
  delete (settings as { low?: number }).low;
  bytes[0] = 3;
  Object.assign(settings, o);
  const own: number[] = [];
  own.push(o.n);
  counter.set(seen.length + bytes.length + (rates.get(o.k) ?? 0));
});
orders.map((o) => (note(o.n), o)).sink(() => {});
orders.filter(isNew).sink(() => {});
function isNew({ n }: { n: number }): boolean { return seen.sort().includes(n); }
`);
  assert.deepEqual(
    problemsOfTypes.map((line) => /^(\S+ \w+ \S+) .*? captures \((.*)\): the change/.exec(line)!.slice(1).join(' | ')),
    [
      'values:5 error captured-mutation | rates.set()',
      'out:2 error captured-mutation | seen.push()',
      'out:3 error captured-mutation | settings.deep.n = …',
      'out:4 error captured-mutation | delete (settings as { low?: number }).low',
      'out:5 error captured-mutation | bytes[0] = …',
      'out:6 error captured-mutation | Object.assign(settings, …)',
      'out:13 error captured-mutation | seen.sort()',
    ],
  );
});

test('equal values have equal texts', () => {
  assert.equal(constantText({ a: [1n, new Map([[1, 'x']])] }), constantText({ a: [1n, new Map([[1, 'x']])] }));
  assert.notEqual(constantText(1), constantText(1n));
});
