// A job that is exported again with other values of its constants goes on with its state: the new
// values hold, and the log names them. State that does not fit them is an error.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, type Life, start } from './job-process.ts';

const timeout = { timeout: 600_000 };

interface Row {
  readonly k: number;
  readonly c: number;
  readonly scale: number;
  readonly half: number;
}
/** `half` depends on the constant `scale`, and is evaluated at the start of the job. */
const notebook = (between = ''): string => `// %% id=events
import { readFileSync } from 'node:fs';
import { count, generate, param } from 'sluice';
const settings = JSON.parse(readFileSync(new URL('./settings.json', import.meta.url), 'utf8')) as { scale: number };
const scale = settings.scale;
const half = scale / Number(param('divisor', '2'));
const events = generate({ rate: 500 }, ({ n }) => ({ n, k: n % 3 }));

// %% id=out
events.keyBy('k')${between}.aggregate({ c: count() })
  .map(({ k, c }) => ({ k, c, scale, half }))
  .toFile('rows.jsonl');
`;
const rowsOf = (path: string): readonly Row[] => {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
};
async function untilRows(life: Life, path: string, least: number): Promise<readonly Row[]> {
  await life.until(() => rowsOf(path).length >= least, `${least} rows`);
  assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
  return rowsOf(path);
}
const warnings = (life: Life): readonly string[] =>
  life.log().flatMap(({ level, message }) => (level === 'warn' ? [message] : []));
const environment = { SLUICE_HTTP_PORT: 'off', SLUICE_CHECKPOINT_SECONDS: '0.2' };

test('the values of the new export hold, the state goes on, and the log says which differ', timeout, async (t) => {
  const folder = folderOf(t, { 'settings.json': '{"scale":10}', 'n.sluice.ts': notebook() });
  const settings = join(folder, 'settings.json');
  const job = await exported(folder);
  const [path, state] = [join(folder, 'data', 'rows.jsonl'), join(folder, 'state')];
  const own = { ...environment, SLUICE_STATE_DIR: state, SLUICE_DATA_DIR: join(folder, 'data') };
  const again = async (scale: number): Promise<string> => {
    renameSync(job, `${job}-before-${scale}`);
    writeFileSync(settings, JSON.stringify({ scale }));
    return await exported(folder);
  };
  mkdirSync(join(folder, 'data'));
  const first = await untilRows(start(job, own), path, 100);
  assert.ok(first.every(({ scale, half }) => scale === 10 && half === 5));

  // The same values again: a restart as any other.
  const same = start(await again(10), own);
  const second = await untilRows(same, path, first.length + 100);
  assert.deepEqual(
    warnings(same).map((text) => text.replace(/of 2.*Z/, 'of T')),
    ['The job goes on from the checkpoint of T.'],
  );

  // A start is for a job without state, so no source is said not to follow it.
  const other = start(await again(20), { ...own, SLUICE_START: 'latest' });
  const third = await untilRows(other, path, second.length + 100);
  assert.match(
    warnings(other)[0]!,
    /^The job goes on from the checkpoint of .*Z\. It was exported with other values of settings of cell "events"\. The new values hold, and the cells are evaluated anew\.$/,
  );
  assert.equal(warnings(other).length, 1, warnings(other).join('\n'));
  // Rows of after the last checkpoint are written again. What is computed from a constant at the
  // start is computed again.
  const changed = third.findIndex(({ scale }) => scale === 20);
  assert.ok(changed > first.length && changed <= second.length, `${changed} rows are those of the former export`);
  assert.ok(third.slice(changed).every(({ scale, half }) => scale === 20 && half === 10));
  // The counts go on.
  for (const key of [0, 1, 2])
    assert.deepEqual(
      third.flatMap(({ k, c }) => (k === key ? [c] : [])),
      Array.from({ length: third.filter(({ k }) => k === key).length }, (_, i) => i + 1),
    );

  // From its own checkpoint it goes on with its own values, without a word.
  const last = start(job, own);
  await untilRows(last, path, third.length + 100);
  assert.deepEqual(
    warnings(last).map((text) => text.replace(/of 2.*Z/, 'of T')),
    ['The job goes on from the checkpoint of T.'],
  );

  // As a savepoint of another application it is the same.
  const savepoint = start(await again(40), {
    ...own,
    SLUICE_APPLICATION_ID: 'n-2',
    SLUICE_START: `savepoint:${join(state, 'n')}`,
  });
  const before = rowsOf(path).length;
  const upgraded = await untilRows(savepoint, path, before + 100);
  assert.match(
    warnings(savepoint)[0]!,
    /^The job goes on from the savepoint of .* settings of cell "events"\. The new/,
  );
  assert.equal(upgraded.at(-1)!.half, 20);
});

test('a window of another size does not fit the state, and the job ends with that error', timeout, async (t) => {
  const window = ".window(tumbling(`${scale}ms`, { time: 'processing' }))";
  const text = notebook(window).replace('count, generate', 'count, generate, tumbling');
  const folder = folderOf(t, { 'settings.json': '{"scale":60000}', 'n.sluice.ts': text });
  const job = await exported(folder);
  const own = { ...environment, SLUICE_HTTP_PORT: '0', SLUICE_STATE_DIR: join(folder, 'state') };
  const first = start(job, own);
  const port = await first.port();
  const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await first.until(async () => /numberOfCompletedCheckpoints\{[^}]*\} [1-9]/.test(await metrics()), 'a checkpoint');
  await first.until(
    async () => /numRecordsIn\{[^}]*operator_name="aggregate[^}]*\} [1-9]/.test(await metrics()),
    'rows',
  );
  assert.equal(await first.end('SIGTERM'), 0);
  renameSync(job, `${job}-before`);
  writeFileSync(join(folder, 'settings.json'), '{"scale":30000}');
  const other = start(await exported(folder), own);
  // A restart does not help.
  assert.equal((await other.ended).code, 3, JSON.stringify(other.log()));
  const error = other.log().find(({ level }) => level === 'error');
  assert.equal(error?.code, 'other-state');
  assert.match(error.message, /has another key, window, aggregate or type of state since the savepoint/);
  // The checkpoint is untouched.
  assert.ok(existsSync(join(folder, 'state', 'n')));
});
