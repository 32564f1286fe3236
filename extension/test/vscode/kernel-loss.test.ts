// A kernel that crashes takes no cell with it: executing cells end with a sentence. Its last
// checkpoint is offered: before the next run, and in a window that opens the notebook again.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { displayLog } from './display-log.ts';
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

// %% id=hog
for (;;) { }
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor({ settings: { 'sluice.checkpoints.intervalSeconds': 1 } });
  editor.write('loss.sluice.ts', text);
  window = await editor.open('loss.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

const kernels = (): number[] => editor.processes('kernel-');

const sessionHasEnded = (): Promise<string> =>
  until(
    'the end of the session',
    () => window.statusText(0),
    (status) => /session ended.*Run All/.test(status),
  );

test('two cells that execute end when the kernel is killed', { skip }, async () => {
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
  process.kill(kernel, 'SIGKILL');
  for (const index of [1, 2]) await window.failed(index).waitFor();
  await window.outputs.getByText('The kernel has ended. Run the cell again').nth(1).waitFor();
  await window.outputs.locator('[data-cell="ticks"].sl-old').waitFor();
  const rows = await window.view('ticks').locator('tbody tr').count();
  assert.ok(rows > 0, 'its rows stay, as old ones');
  await sessionHasEnded();
  const offer = window.page.locator('.notification-toast').filter({ hasText: 'The kernel has ended. This notebook' });
  assert.match(await offer.innerText(), /has a checkpoint of \d\d:\d\d:\d\d\./);
  await offer.getByRole('button', { name: 'Start Fresh' }).waitFor();
  await until(
    'the cell offers it too',
    () => window.statusText(0),
    (text) => /resume from \d\d:\d\d:\d\d/.test(text),
  );
  await window.screenshot('kernel-loss-after');
  await window.page.keyboard.press('Escape');
});

test('a run asks once, Cancel runs nothing, and Start Fresh runs the cell with another kernel', { skip }, async () => {
  await window.runCell(0);
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.getByText(/This notebook has a checkpoint of \d\d:\d\d:\d\d/).waitFor();
  await window.screenshot('kernel-loss-asked');
  await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  await window.executing(0).waitFor({ state: 'hidden' });
  await until(
    'the offer stays',
    () => window.statusText(0),
    (text) => /not run/.test(text) && /resume from/.test(text),
  );
  await window.runCell(0);
  await dialog.getByRole('button', { name: 'Start Fresh', exact: true }).click();
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
  const question = window.page.locator('.monaco-dialog-box');
  await question.getByText('Restart the session of loss.sluice.ts?').waitFor();
  await question.getByRole('button', { name: 'Restart and Run All', exact: true }).waitFor();
  await window.screenshot('kernel-loss-restart-asks');
  await question.getByRole('button', { name: 'Restart', exact: true }).click();
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
  // Before the new session has told its states, the cell says only that it has not run.
  await until(
    'the output is marked as old',
    () => window.statusText(0),
    (text) => /old output.*Run All/.test(text),
  );
  await window.outputs.locator('[data-cell="ticks"].sl-old').waitFor();
  await window.screenshot('kernel-loss-restarted');
  assert.equal(await window.isDirty(), false);
});

test('the side bar lists the session, and shuts it down', { skip }, async () => {
  await window.runCell(0);
  await window.finished(0);
  await window.command('Sluice: Sessions');
  const session = window.page.locator('.monaco-list-row', { hasText: /loss\s*\d cells? · since .* MB/ }).last();
  await session.waitFor();
  await window.screenshot('kernel-loss-sessions');
  await session.hover();
  await session.getByRole('button', { name: 'Shut Down Session' }).click();
  await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Shut Down', exact: true }).click();
  await until(
    'the kernel to end',
    () => Promise.resolve(kernels()),
    (pids) => pids.length === 0,
  );
  await window.page.getByText('No session runs.').waitFor();
  await sessionHasEnded();
});

test('after a kill, a window that opens the notebook again offers Resume, and the counts go on', { skip }, async () => {
  await window.runCell(0);
  // The session that was shut down has left its checkpoint.
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.getByRole('button', { name: 'Start Fresh', exact: true }).click();
  await window.finished(0);
  const total = async (): Promise<number> =>
    Math.max(-1, ...(await displayLog(window.page)).flatMap(({ rows }) => rows.map(({ n }) => Number(n))));
  const before = await until('rows', total, (n) => n > 100);
  const checkpoint = window.page.locator('.statusbar-item').getByText(/checkpoint \d+ s ago/);
  await checkpoint.waitFor();
  await until(
    'the checkpoint at the cell',
    () => window.statusText(0),
    (status) => /checkpoint \d+ s ago · \d+(\.\d)? k?B/.test(status),
  );
  await window.screenshot('checkpoint-status');
  // There is a checkpoint each second, so the one that is offered is later than the rows of before.
  // The log has the rows of former sessions too, and this one begins at 0.
  await until('rows of four more seconds', total, (n) => n > before + 200);
  const [kernel] = kernels();
  assert.ok(kernel !== undefined);
  process.kill(kernel, 'SIGKILL');
  await until(
    'no kernel',
    () => Promise.resolve(kernels()),
    (pids) => pids.length === 0,
  );
  await window.close();

  window = await editor.open('loss.sluice.ts');
  const offer = window.page.locator('.notification-toast').filter({ hasText: 'This notebook has a checkpoint of' });
  await offer.waitFor();
  await window.screenshot('resume-offered');
  assert.deepEqual(kernels(), [], 'nothing starts before the choice');
  await offer.getByRole('button', { name: 'Resume' }).click();
  await window.view('ticks').waitFor();
  const first = await until('rows again', total, (n) => n > before);
  const seen = (await displayLog(window.page)).flatMap(({ rows }) => rows.map(({ n }) => Number(n)));
  assert.ok(Math.min(...seen) > 0, `the stream goes on, it does not begin again: ${Math.min(...seen)} to ${first}`);
  await until(
    'live again',
    () => window.statusText(0),
    (text) => /live/.test(text) && !/resume/.test(text),
  );
  await window.outputs.getByText('restarted').first().waitFor();
  await window.screenshot('resumed');
  assert.equal(kernels().length, 1);
  assert.equal(await window.isDirty(), false);
});

test('a kernel that ends in a cell is started again: the session goes on, that cell has failed', { skip }, async () => {
  await window.runCell(3);
  await window.executing(3).waitFor();
  await until(
    'the call that lasts',
    () => window.statusText(3),
    (text) => /has not returned for/.test(text),
  );
  const [kernel] = kernels();
  assert.ok(kernel !== undefined);
  process.kill(kernel, 'SIGKILL');
  const told = window.page.locator('.notification-toast').filter({ hasText: 'in the middle of cell "hog"' });
  assert.match(await told.innerText(), /The session goes on from its checkpoint of \d\d:\d\d:\d\d\./);
  await window.failed(3).waitFor();
  await until(
    'the other cell is live',
    () => window.statusText(0),
    (text) => /live/.test(text) && !/resume/.test(text),
  );
  await window.outputs.locator('[data-cell="hog"]').getByText('The kernel has ended in the middle').first().waitFor();
  await window.screenshot('kernel-loss-went-on');
  assert.ok(kernels().length === 1 && kernels()[0] !== kernel, 'another kernel');
});

test('the status bar of a cell resumes from the checkpoint of a session that was shut down', { skip }, async () => {
  const [before] = kernels();
  await window.command('Sluice: Shut Down');
  await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Shut Down', exact: true }).click();
  await until(
    'no kernel',
    () => Promise.resolve(kernels()),
    (pids) => pids.length === 0,
  );
  await window
    .status(0)
    .getByText(/resume from \d\d:\d\d/)
    .click();
  await until(
    'live again',
    () => window.statusText(0),
    (text) => /live/.test(text) && !/resume/.test(text),
  );
  assert.ok(kernels().length === 1 && kernels()[0] !== before, 'another kernel');
});
