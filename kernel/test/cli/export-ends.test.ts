// How an exported job says that it is not ready, and how it ends without a last checkpoint.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { exported, folderOf, start } from './job-process.ts';

const timeout = { timeout: 600_000 };

/** Its cell waits for a file, and its operator fails again and again. */
const notebook = `// %% id=events
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { configure, generate, param } from 'sluice';
configure({ restart: { kind: 'fixed-delay', attempts: 100, delay: '1h' } });
const go = param('go', '');
const isOpen = await (async () => {
  while (!existsSync(go)) await sleep(50);
  return true;
})();
const events = generate({ rate: 500 }, ({ n }) => ({ n }));

// %% id=out
events.map(({ n }) => {
  if (existsSync(\`\${go}.fail\`)) throw new Error('poison');
  return { n, isOpen };
}).toFile('rows.jsonl');
`;

test('a job is ready once its cells run, and not in a restart, which ends with 4', timeout, async (t) => {
  const folder = folderOf(t, { 'n.sluice.ts': notebook });
  const job = await exported(folder);
  const go = join(folder, 'go');
  const own = { SLUICE_PARAM_go: go, SLUICE_CHECKPOINT_SECONDS: '0.2' };
  const life = start(job, own);
  const port = await life.port();
  const ready = async (): Promise<{ code: number; reason: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    return { code: response.status, reason: ((await response.json()) as { reason: string }).reason };
  };
  await life.until(async () => (await ready()).reason === 'The cells are being evaluated.', 'the cells');
  assert.equal((await ready()).code, 503);
  writeFileSync(go, '');
  await life.until(async () => (await ready()).code === 200, 'the job is ready');
  const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await life.until(async () => /numberOfCompletedCheckpoints\{[^}]*\} [1-9]/.test(await metrics()), 'a checkpoint');

  writeFileSync(`${go}.fail`, '');
  await life.until(() => life.log().some(({ message }) => message.includes('The job restarts in')), 'a restart');
  assert.deepEqual(await ready(), { code: 503, reason: 'The job restarts from its last checkpoint.' });
  assert.equal(await life.end('SIGTERM'), 4, JSON.stringify(life.log()));
  const missing = 'The job was restarting, so no last checkpoint was taken. A restart goes on from the one before.';
  assert.ok(life.log().some(({ level, message }) => level === 'warn' && message === missing));

  // Lines below the level are left out.
  const quiet = start(job, { ...own, SLUICE_LOG_LEVEL: 'warn' });
  await quiet.until(() => quiet.log().some(({ message }) => message.includes('The job restarts in')), 'a restart');
  assert.equal(await quiet.end('SIGTERM'), 4, JSON.stringify(quiet.log()));
  assert.deepEqual([...new Set(quiet.log().map(({ level }) => level))], ['warn']);
  assert.ok(life.log().some(({ level }) => level === 'info'));
});
