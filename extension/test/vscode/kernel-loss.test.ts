// A kernel that crashes takes no cell with it: executing cells end with a sentence, and Run works
// at once again.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=ticks
import { generate } from 'sluice';
const ticks = generate({ rate: 50 }, ({ n, now }) => ({ n, at: now }));
ticks.show();
export {};

// %% id=first
(await ticks.take(1_000_000).toArray()).length;

// %% id=second
(await ticks.take(2_000_000).toArray()).length;
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('loss.sluice.ts', text);
  window = await editor.open('loss.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

const kernels = (): number[] => editor.processes('kernel-');

test('two cells that execute end within 2 s when the kernel is killed', { skip }, async () => {
  await window.runCell(0);
  await window.finished(0);
  for (const index of [1, 2]) await window.runCell(index);
  for (const index of [1, 2]) await window.executing(index).waitFor();
  for (const index of [1, 2])
    await until(
      'the pull waits',
      () => window.statusText(index),
      (text) => /waiting for/.test(text),
    );
  await window.screenshot('kernel-loss-before');
  const [kernel] = kernels();
  assert.ok(kernel !== undefined && kernels().length === 1, 'one kernel runs');
  const killed = performance.now();
  process.kill(kernel, 'SIGKILL');
  for (const index of [1, 2]) await window.failed(index).waitFor({ timeout: 2_000 });
  assert.ok(performance.now() - killed < 2_000);
  await window.outputs.getByText('The kernel has ended. Run the cell again').nth(1).waitFor({ timeout: 2_000 });
  assert.match(await window.statusText(0), /session ended/);
  await window.screenshot('kernel-loss-after');
});

test('Run works at once again, with another kernel and without asking', { skip }, async () => {
  await window.runCell(0);
  await window.executing(0).waitFor({ state: 'hidden' });
  await window.finished(0);
  await until(
    'the table moves again',
    () => window.statusText(0),
    (text) => /live/.test(text),
  );
  assert.equal(kernels().length, 1);
  assert.equal(await window.isDirty(), false);
});

test('Restart ends the kernel and starts a new one, and no cell has run', { skip }, async () => {
  const [before] = kernels();
  await window.command('Sluice: Restart');
  await until(
    'another kernel',
    () => Promise.resolve(kernels()),
    (pids) => pids.length === 1 && pids[0] !== before,
  );
  for (const index of [0, 1, 2])
    await until(
      `cell ${index}`,
      () => window.statusText(index),
      (text) => /not run/.test(text),
    );
  await window.view('ticks').waitFor({ state: 'detached' });
  assert.equal(await window.isDirty(), false);
});
