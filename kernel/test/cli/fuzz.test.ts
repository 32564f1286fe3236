// Ten seconds of mutated inputs for each target find no fault in the code as it is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'vitest';
import { targetNames } from '../fuzz/target.ts';

const script = join(import.meta.dirname, '../fuzz/index.ts');

for (const target of targetNames)
  test(`ten seconds of mutated inputs crash and hang nothing: ${target}`, () => {
    const tried = new RegExp(`^${target} +\\d+ inputs: [1-9]\\d* accepted, [1-9]\\d* rejected`);
    // On a busy machine the target may need most of the time to load.
    for (let seconds = 10; ; seconds *= 3) {
      const parameters = [script, '--seconds', String(seconds), '--seed', '1', '--target', target];
      const { stdout, status } = spawnSync(process.execPath, parameters, { encoding: 'utf8' });
      const [first = '', ...rest] = stdout.trimEnd().split('\n');
      assert.match(rest.at(-1)!, /^\d+ inputs, 0 crashes, 0 hangs$/, stdout);
      if (seconds < 90 && !tried.test(first)) continue;
      assert.match(first, tried, stdout);
      assert.equal(status, 0);
      return;
    }
  });
