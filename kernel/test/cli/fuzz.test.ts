// The fuzzer finds the faults that are planted into its targets, and none in the code as it is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { type Finding, fuzz, type FuzzResult } from '../fuzz/fuzz.ts';
import { type Plant, type TargetName, targetNames } from '../fuzz/target.ts';

const script = join(import.meta.dirname, '../fuzz/index.ts');

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-fuzz-test-'));
  t.onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/**
 * The fault is found, and its input alone shows it again. Without the fault the input is a good
 * one.
 */
async function assertFound(t: TestContext, target: TargetName, plant: Plant): Promise<Finding> {
  const options = { target, folder: folder(t), seed: 1 };
  let result: FuzzResult;
  let seconds = 3;
  do result = await fuzz({ ...options, seconds, plant });
  while (result.findings.length === 0 && (seconds *= 2) < 60);
  const [finding] = result.findings;
  assert.ok(finding, `${target} has found nothing in ${result.inputs} inputs`);
  assert.ok(basename(finding.file).startsWith(`${target}-`));
  const replay = readFileSync(finding.file);
  const again = await fuzz({ ...options, seconds: 0, plant, replay });
  assert.deepEqual(
    again.findings.map(({ kind }) => kind),
    [finding.kind],
  );
  const good = await fuzz({ ...options, seconds: 0, replay });
  assert.deepEqual(good.findings, []);
  return finding;
}

for (const target of targetNames)
  test(`a fault planted into the target ${target} is found, and its input shows it again`, async (t) => {
    assert.equal((await assertFound(t, target, 'forgets')).kind, 'crash');
  });

test('code that throws is a crash, code that loops a hang, code that hoards memory a crash', async (t) => {
  assert.match((await assertFound(t, 'notebook', 'throws')).message, /^TypeError: A planted fault\./);
  const { kind, message } = await assertFound(t, 'notebook', 'loops');
  assert.deepEqual([kind, message], ['hang', 'more than 3 s of CPU']);
  assert.match(
    (await assertFound(t, 'notebook', 'hoards')).message,
    /^more than \d+ MB of (heap|memory)$|as it does without memory$/,
  );
});

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
