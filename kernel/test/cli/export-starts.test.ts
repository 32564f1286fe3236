// How an exported job begins and ends as a process: what it says of its start, and what it answers
// while it stops under load.
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, start } from './job-process.ts';

const timeout = { timeout: 600_000 };

test('a job names the sources that do not start where it is told to, in one line', timeout, async (t) => {
  const notebook = `// %% id=numbers
import { from, generate } from 'sluice';
const numbers = generate({ limit: 3 }, ({ n }) => ({ n }));
from([{ n: 7 }]).union(numbers).toFile('rows.jsonl');
`;
  const job = await exported(folderOf(t, { 'n.sluice.ts': notebook }));
  const saidOf = async (environment: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const life = start(job, { SLUICE_HTTP_PORT: 'off', ...environment });
    assert.equal((await life.ended).code, 0, JSON.stringify(life.log()));
    return life.log().flatMap(({ level, message }) => (level === 'warn' ? [message] : []));
  };
  const [line, ...rest] = await saidOf({ SLUICE_START: 'latest' });
  assert.match(line!, /^The job starts at latest, but not in all of its sources: only topics have a start \(.*\)\.$/);
  assert.deepEqual(rest, []);
  // Everything begins at its beginning.
  assert.deepEqual(await saidOf({ SLUICE_APPLICATION_ID: 'n-2' }), []);
});

test('a job that stops under load is alive and not ready until it has gone', timeout, async (t) => {
  const notebook = `// %% id=numbers
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { count, generate, param } from 'sluice';
const hold = param('hold', '');
const numbers = generate({ rate: 3000 }, ({ n }) => ({ n, k: n % 5 }));
const counts = numbers.keyBy('k').aggregate({ c: count() });

// %% id=out
counts.toFile('rows.jsonl');
counts.sink(async () => {
  while (existsSync(hold)) await sleep(20);
});
`;
  const folder = folderOf(t, { 'n.sluice.ts': notebook });
  const job = await exported(folder);
  const hold = join(folder, 'hold');
  const life = start(job, { SLUICE_PARAM_hold: hold, SLUICE_GRACE_SECONDS: '300', SLUICE_CHECKPOINT_SECONDS: '0.2' });
  const port = await life.port();
  /** undefined: nobody answers any more. */
  const answer = async (page: 'health' | 'ready'): Promise<string | undefined> => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/${page}`);
      return `${response.status} ${((await response.json()) as { reason: string }).reason}`;
    } catch {
      return undefined;
    }
  };
  await life.until(async () => (await answer('ready')) === '200 The job is running.', 'it is ready');
  await life.until(() => existsSync(join(job, 'rows.jsonl')), 'its first rows');

  // The last checkpoint waits for the answers of the sink.
  writeFileSync(hold, '');
  process.kill(life.pid, 'SIGTERM');
  await life.until(() => life.log().some(({ message }) => message.startsWith('SIGTERM: ')), 'it is ending');
  for (let asked = 0; asked < 20; asked++) {
    assert.equal(await answer('ready'), '503 The job is ending.');
    assert.equal(await answer('health'), '200 The job is alive.');
  }
  const until: (string | undefined)[] = [];
  rmSync(hold);
  while (until.at(-1) !== undefined || until.length === 0) until.push(await answer('ready'));
  assert.deepEqual(
    [...new Set(until.slice(0, -1))].filter((one) => one !== '503 The job is ending.'),
    [],
  );
  assert.equal((await life.ended).code, 0, JSON.stringify(life.log()));
  assert.equal(life.log().at(-1)!.message, 'The job has stopped.');
});
