// `sluice run --state` whose sink finds a transaction of the last checkpoint expired, and a job
// that dies between its last checkpoint and the commit.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { Folder, sluice, start } from './sluice.ts';

const timeout = { timeout: 600_000 };
const records = 1500;

/**
 * A transaction is a file with its rows, named by the first one. While the file `expire` is there,
 * the first commit finds its transaction expired.
 */
const notebook = (checkpoint: string, extra = ''): string => `// %% id=source
import { configure, generate } from 'sluice';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
configure({ checkpoint: ${checkpoint} });
const rows$ = generate({ rate: 400, limit: ${records} }, ({ n }) => ({ n }));
const at = (name: string): string => import.meta.dirname + '/' + name;

// %% id=own
rows$.sink({
  begin: (): number[] => [],
  write: (rows, { n }) => void rows.push(n),
  preCommit: (rows) => rows,
  commit(rows) {
    if (existsSync(at('expire'))) {
      rmSync(at('expire'));
      const message = 'The transaction of topic "out" with offsets ' + rows[0] + ' to ' + rows.at(-1) + ' has expired.';
      throw Object.assign(new Error(message), { code: 'transaction-expired' });
    }
    if (existsSync(at('die'))) {
      rmSync(at('die'));
      process.kill(process.pid, 'SIGKILL');
    }
    writeFileSync(at('own/' + String(rows[0]).padStart(6, '0')), rows.join(' '));
  },
  abort() {},
});
${extra}export {};
`;
const alsoFiles = `
// %% id=files
rows$.toFile('files.jsonl', { delivery: 'exactly-once' });
`;

interface Job {
  readonly path: string;
  readonly at: (name: string) => string;
  readonly state: string;
  readonly own: () => string[];
}
function jobOf(folder: Folder, text: string): Job {
  const path = folder.write('job.sluice.ts', text);
  const at = (name: string): string => join(path, '..', name);
  mkdirSync(at('own'));
  return { path, at, state: `${path}.state`, own: () => readdirSync(at('own')) };
}
function numbersOf({ at, own }: Job): number[] {
  return own()
    .toSorted()
    .flatMap((name) => readFileSync(at(`own/${name}`), 'utf8').split(' '))
    .map(Number);
}
/** It is killed when so many transactions are committed. */
async function killedAfter({ path, state, own }: Job, transactions: number): Promise<void> {
  const life = start(['run', path, '--json', '--state', state]);
  let isOver = false;
  void life.ended.then(() => (isOver = true));
  while (!isOver && own().length < transactions) await sleep(5);
  life.child.kill('SIGKILL');
  await life.ended;
}
const all = Array.from({ length: records }, (_, n) => n);

test('the checkpoint before is restored, each row is there once, and other sinks are named', timeout, async (t) => {
  const job = jobOf(new Folder(t), notebook(`{ interval: '300ms' }`, alsoFiles));
  await killedAfter(job, 3);
  writeFileSync(job.at('expire'), '');
  const last = await sluice('run', job.path, '--json', '--state', job.state);
  assert.equal(last.code, 0, last.out + last.err);
  assert.match(
    last.err,
    /The transaction of topic "out" with offsets \d+ to \d+ has expired\. So checkpoint \d+ is not used, and the session goes on from checkpoint \d+ of \d{4}-/,
  );
  assert.match(last.err, /written again by the other sinks, which had committed them: toFile files\.jsonl of files\./);
  assert.ok(!existsSync(job.at('expire')));
  assert.deepEqual(numbersOf(job), all);
  const files = readdirSync(job.at('files')).filter((name) => name.startsWith('part-'));
  const found = files.flatMap((name) =>
    readFileSync(job.at(`files/${name}`), 'utf8')
      .trim()
      .split('\n'),
  );
  assert.equal(new Set(found).size, records, 'the other sink has lost nothing');
});

test('without a checkpoint before it the job ends with one error', timeout, async (t) => {
  const job = jobOf(new Folder(t), notebook(`{ interval: '300ms', retained: 1 }`));
  await killedAfter(job, 2);
  writeFileSync(job.at('expire'), '');
  const last = await sluice('run', job.path, '--json', '--state', job.state);
  assert.equal(last.code, 1, last.err);
  const errors = last.lines.flatMap(({ error }) => error ?? []);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['transaction-expired'],
  );
  assert.match(errors[0]!.message, /offsets \d+ to \d+ has expired\. No checkpoint before \d+ is kept\. Start fresh/);
});

test('a job that dies between its last checkpoint and the commit commits at its next start', timeout, async (t) => {
  const job = jobOf(new Folder(t), notebook(`{ interval: '1h' }`));
  writeFileSync(job.at('die'), '');
  const first = await sluice('run', job.path, '--json', '--state', job.state);
  assert.equal(first.code, null, 'it was killed');
  assert.deepEqual(job.own(), []);
  for (let n = 0; n < 2; n++) {
    const next = await sluice('run', job.path, '--json', '--state', job.state);
    assert.equal(next.code, 0, next.err);
    assert.deepEqual(numbersOf(job), all);
  }
});
