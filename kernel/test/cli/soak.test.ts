// Two minutes of the soak: the memory of a busy session does not grow, and its views go on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'vitest';

test('in two minutes with 20,000 records a second and an edit each minute the heap does not grow by half', () => {
  const script = join(import.meta.dirname, '../soak/index.ts');
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, '--minutes', '2'], { encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines.at(-1)!, /^2 minutes, from minute 1: heap .* within bounds$/, stdout + stderr);
  assert.equal(lines.filter((line) => /^minute \d: resident .* heap after collection /.test(line)).length, 2);
  assert.equal(status, 0);
});
