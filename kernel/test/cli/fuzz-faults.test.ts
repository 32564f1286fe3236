// The fuzzer finds each fault that is planted into each of its targets. Without SLUICE_FAULTS=all a
// target gets two of the faults: the first, and another one in turn.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { type Finding, fuzz, type FuzzResult } from '../fuzz/fuzz.ts';
import { type Plant, type TargetName, targetNames } from '../fuzz/target.ts';

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
  const options = { target, folder: folder(t), seed: 1, mostFindings: 1 };
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

/** What the fuzzer says of each fault. */
const found: Readonly<Record<Plant, RegExp>> = {
  throws: /^crash: TypeError: A planted fault\./,
  loops: /^hang: more than 1 s of CPU$/,
  hoards: /^crash: (more than \d+ MB of (heap|memory)|.* as it does without memory)$/,
  forgets: /^crash: /,
};
const [first, ...others] = Object.entries(found) as [Plant, RegExp][];
for (const [at, target] of targetNames.entries())
  for (const [plant, expected] of process.env['SLUICE_FAULTS'] === 'all'
    ? [first!, ...others]
    : [first!, others[at % others.length]!])
    test(`in the target ${target}, code that ${plant} is found, and its input shows it again`, async (t) => {
      const { kind, message } = await assertFound(t, target, plant);
      assert.match(`${kind}: ${message}`, expected);
    });
