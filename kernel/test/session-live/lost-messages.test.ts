// A message between the control thread and the executor that cannot be read is a failure in either
// direction: whoever waits for it gets an error, and the session goes on with another executor.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';
import type { LostCommand } from './lost-command.ts';

const timeout = { timeout: 300_000 };
/** Too deep for the stack of the thread that reads it, and not for the executor's larger one. */
const unreadable = `import { parentPort } from 'node:worker_threads';
let deep: unknown[] = [];
for (let level = 0; level < 10_000; level++) deep = [deep];
const lose = () => parentPort!.postMessage({ kind: 'metrics', deep });`;

test('a command that the executor cannot read fails the run, and the next run works', timeout, async () => {
  const worker = new Worker(new URL('./lost-command.ts', import.meta.url), { resourceLimits: { stackSizeMb: 256 } });
  const [seen] = (await once(worker, 'message')) as [LostCommand];
  await worker.terminate();
  assert.match(
    seen.error ?? '',
    /^The run of cell "lost" was lost .*: a command of the session could not be read: .+ Run it again\.$/,
  );
  assert.deepEqual(seen.another, { ok: true, shown: '2' });
});

test('an event that the session cannot read fails the run that sent it', timeout, async () => {
  await using session = new LiveSession();
  session.edit('beat', "import { generate } from 'sluice';\ngenerate({ rate: 100 }, ({ n }) => n).show();");
  session.edit('bad', `${unreadable}\nlose();\nawait new Promise(() => {});`);
  await session.ran('beat');
  const [result] = await session.run('bad');
  assert.match(result?.error?.message ?? '', /: a message of it could not be read: .+/);
  await session.executorReady();
  const total = session.total('beat');
  await session.until(
    () => session.total('beat'),
    (now) => now > total + 50,
    'rows of the other cell',
  );
});

test(
  'an event of an operator that the session cannot read ends the operator, not its neighbours',
  timeout,
  async () => {
    await using session = new LiveSession();
    session.edit(
      'beat',
      "import { generate } from 'sluice';\nconst beat = generate({ rate: 100 }, ({ n }) => n);\nbeat.show();",
    );
    session.edit(
      'bad',
      `${unreadable}\nbeat.map((n) => { lose(); for (const until = Date.now() + 20; Date.now() < until;); return n; }).show();`,
    );
    await session.ran('beat', 'bad');
    const failed = await session.until(
      () => session.state('bad')?.errors ?? [],
      (errors) => errors.length > 0,
      'the failure',
    );
    assert.match(failed[0]!.message, /^map was at work each of 3 times .*: a message of it could not be read: /);
    await session.executorReady();
    const total = session.total('beat');
    await session.until(
      () => session.total('beat'),
      (now) => now > total + 50,
      'rows of the other cell',
    );
    assert.deepEqual(session.state('beat')!.errors, []);
  },
);
