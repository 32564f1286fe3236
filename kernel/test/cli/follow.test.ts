// `sluice run` on a log that is rotated while the command follows it.
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { until } from '../server/kernels.ts';
import { Folder, start } from './sluice.ts';

test('a log that is renamed, truncated, rewritten and replaced gives every row once', async (t) => {
  const folder = new Folder(t);
  const line = (n: number): string => `{"n":${n}}\n`;
  const log = folder.write('log.jsonl', line(1));
  const notebook = folder.write(
    'a.sluice.ts',
    "// %% id=a\nimport { file } from 'sluice';\nfile('log.jsonl', { follow: true })\n",
  );
  const { child, ended, out } = start(['run', notebook, '--json']);
  const row = (n: number): Promise<void> => until(() => out().includes(`"n":${n}}`), `row ${n}`);
  await row(1);
  renameSync(log, `${log}.2`);
  writeFileSync(log, line(2));
  await row(2);
  appendFileSync(log, line(3));
  await row(3);
  copyFileSync(log, `${log}.1`);
  truncateSync(log);
  appendFileSync(log, line(4));
  await row(4);
  writeFileSync(log, line(5));
  await row(5);
  writeFileSync(`${log}.new`, line(5) + line(6));
  renameSync(`${log}.new`, log);
  await row(6);
  child.kill('SIGINT');
  const { lines, code, err } = await ended;
  assert.equal(code, 0);
  // The row 4 had no copy when the file was rewritten.
  assert.match(err, /^▲ Rows of log\.jsonl may be missing: the file was truncated or rewritten between .*\n$/);
  assert.deepEqual(
    lines.flatMap((one) => ('row' in one ? [one.row] : [])),
    [1, 2, 3, 4, 5, 6].map((n) => ({ n })),
  );
});
