// The commands of a session from end to end: Restart and Run All, Take Savepoint, and the list of
// running sessions with Open and Shut Down All. A question that is answered elsewhere goes away.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = (name: string): string => `// %% id=${name}
import { generate } from 'sluice';
const ${name} = generate({ rate: 50 }, ({ n }) => ({ n }));
${name}.show();

// %% id=${name}Even
${name}.filter(({ n }) => n % 2 === 0).show();
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor({ settings: { 'sluice.checkpoints.enabled': false } });
  for (const name of ['one', 'two']) editor.write(`${name}.sluice.ts`, text(name));
  window = await editor.open('one.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

const kernels = (): number[] => editor.processes('kernel-');
const dialog = (): Locator => window.page.locator('.monaco-dialog-box');
const isLive = (index: number): Promise<string> =>
  until(
    `cell ${index} is live`,
    () => window.statusText(index),
    (status) => /live/.test(status),
  );
const kernelsAre = (what: string, isEnough: (pids: readonly number[]) => boolean): Promise<number[]> =>
  until(what, () => Promise.resolve(kernels()), isEnough);
/** The newest number that the first cell of a notebook shows. */
const most = async (name: string): Promise<number> => {
  const cell = window.view(name).locator('tbody tr').first().locator('td').last();
  return Number((await cell.innerText()).replaceAll(',', ''));
};

test('Take Savepoint says what is missing before something runs', { skip }, async () => {
  await window.command('Sluice: Take Savepoint…');
  await window.page.locator('.notification-toast', { hasText: 'Nothing of this notebook runs.' }).waitFor();
  assert.deepEqual(kernels(), []);
  await window.page.keyboard.press('Escape');
});

test('Restart and Run All asks, then another kernel runs all cells from the start', { skip }, async () => {
  await window.runAll();
  for (const index of [0, 1]) await isLive(index);
  const before = await until(
    'numbers',
    () => most('one'),
    (n) => n > 100,
  );
  const [kernel] = await kernelsAre('one kernel', (pids) => pids.length === 1);
  await window.command('Sluice: Restart and Run All');
  await dialog().getByText('Restart the session of one.sluice.ts?').waitFor();
  await dialog().getByText('2 cells have run. What they keep').waitFor();
  await window.screenshot('sessions-restart-asks');
  await dialog().getByRole('button', { name: 'Cancel', exact: true }).click();
  await until(
    'it goes on',
    () => most('one'),
    (n) => n > before,
  );
  assert.deepEqual(kernels(), [kernel]);
  await window.command('Sluice: Restart and Run All');
  await dialog().getByRole('button', { name: 'Restart and Run All', exact: true }).click();
  await kernelsAre('another kernel', (pids) => pids.length === 1 && pids[0] !== kernel);
  for (const index of [0, 1]) await isLive(index);
  for (const cell of ['one', 'oneEven']) {
    await until(
      'no output is old',
      () => window.outputs.locator(`[data-cell="${cell}"].sl-old`).count(),
      (old) => old === 0,
    );
    await window.view(cell).locator('tbody tr').first().waitFor();
  }
  await window.screenshot('sessions-restarted-and-ran');
});

test('Take Savepoint writes a folder where it is asked to, and says which', { skip }, async () => {
  const place = join(editor.folder, 'savepoints');
  mkdirSync(place);
  await window.command('Sluice: Take Savepoint…');
  await window.answer(`${place}/`);
  const toast = window.page.locator('.notification-toast', { hasText: 'The savepoint is' });
  await toast.waitFor();
  await window.screenshot('sessions-savepoint');
  const [folder, ...others] = readdirSync(place);
  assert.ok(folder !== undefined && others.length === 0, 'one savepoint');
  const said = (await toast.innerText()).replaceAll(/\s+/g, '');
  assert.ok(said.includes(join(place, folder)), said);
  const files = readdirSync(join(place, folder));
  assert.ok(
    files.some((name) => name.endsWith('.manifest')),
    files.join(),
  );
  await toast.getByRole('button', { name: 'Copy Path' }).click();
  await toast.waitFor({ state: 'hidden' });
  await isLive(0);
});

test('Start from Savepoint asks, and another kernel goes on from the numbers of the savepoint', { skip }, async () => {
  const place = join(editor.folder, 'savepoints');
  const savepoint = join(place, readdirSync(place)[0]!);
  const [kernel] = await kernelsAre('one kernel', (pids) => pids.length === 1);
  await window.command('Sluice: Start from Savepoint…');
  await window.answer(`${savepoint}/`);
  await dialog().getByText('Start one.sluice.ts from a savepoint?').waitFor();
  await dialog().getByText('The running session ends, and its checkpoints are removed.').waitFor();
  await window.screenshot('sessions-start-from-savepoint-asks');
  await dialog().getByRole('button', { name: 'Start from Savepoint', exact: true }).click();
  await kernelsAre('another kernel', (pids) => pids.length === 1 && pids[0] !== kernel);
  for (const index of [0, 1]) await isLive(index);
  await window
    .view('one')
    .getByText(/restarted/)
    .first()
    .waitFor();
  await until(
    'numbers',
    () => most('one'),
    (n) => n > 100,
  );
  await window.screenshot('sessions-started-from-savepoint');

  // A folder without a savepoint is refused, and the cells can run anew.
  await window.command('Sluice: Start from Savepoint…');
  await window.answer(`${place}/`);
  await dialog().getByRole('button', { name: 'Start from Savepoint', exact: true }).click();
  await window.page
    .locator('.notification-toast', { hasText: 'The session did not start' })
    .filter({ hasText: 'has no manifest of a savepoint' })
    .waitFor();
  await window.screenshot('sessions-no-savepoint');
  await window.page.keyboard.press('Escape');
  await window.runAll();
  for (const index of [0, 1]) await isLive(index);
});

test('Open in the list of sessions opens the notebook of a session without a window', { skip }, async () => {
  await window.command('View: Close Editor');
  await window.page.locator('.tab', { hasText: 'one.sluice.ts' }).waitFor({ state: 'hidden' });
  assert.equal(kernels().length, 1, 'the session goes on');
  await window.command('Sluice: Sessions');
  const row = window.page.locator('.monaco-list-row', { hasText: /one\s*2 cells · since .* MB/ }).last();
  await row.hover();
  await row.getByRole('button', { name: 'Open' }).click();
  await window.page.locator('.tab.active', { hasText: 'one.sluice.ts' }).waitFor();
  await isLive(0);
  await until(
    'numbers',
    () => most('one'),
    (n) => n > 0,
  );
  await window.screenshot('sessions-opened');
  assert.equal(kernels().length, 1, 'it is the same session');
});

test('Shut Down ends the session of its notebook and no other, by the palette and by the list', { skip }, async () => {
  const [kept] = await kernelsAre('one kernel', (pids) => pids.length === 1);
  const other = await editor.open('two.sluice.ts');
  const starts = async (): Promise<void> => {
    await other.runCell(0);
    await kernelsAre('two kernels', (pids) => pids.length === 2);
    await until(
      'its cell is live',
      () => other.statusText(0),
      (status) => /live/.test(status),
    );
  };
  const question = other.page.locator('.monaco-dialog-box').getByText('Shut down the session of two.sluice.ts?');
  const answer = (label: string): Promise<void> =>
    other.page.locator('.monaco-dialog-box').getByRole('button', { name: label, exact: true }).click();
  const hasEnded = async (): Promise<void> => {
    await kernelsAre('the other kernel', (pids) => pids.length === 1 && pids[0] === kept);
    await until(
      'what has become of the cell',
      () => other.statusText(0),
      (status) => /session ended.*Run All/.test(status),
    );
  };
  await starts();
  await other.command('Sluice: Shut Down');
  await question.waitFor();
  await other.screenshot('sessions-shut-down-asks');
  await answer('Cancel');
  await question.waitFor({ state: 'hidden' });
  assert.equal(kernels().length, 2);
  await other.command('Sluice: Shut Down');
  await question.waitFor();
  await answer('Shut Down');
  await hasEnded();

  await starts();
  await other.command('Sluice: Sessions');
  const row = other.page.locator('.monaco-list-row', { hasText: /two\s*1 cell · since/ }).last();
  await row.hover();
  await row.getByRole('button', { name: 'Shut Down Session' }).click();
  await other.page
    .locator('.monaco-dialog-box')
    .getByText(/Shut down .*two\.sluice\.ts\?/)
    .waitFor();
  await answer('Shut Down');
  await hasEnded();
  await other.close();
  await isLive(0);
});

test('Shut Down All ends every session, and says what goes with them', { skip }, async () => {
  const other = await editor.open('two.sluice.ts');
  await other.runCell(0);
  await other.finished(0);
  await kernelsAre('two kernels', (pids) => pids.length === 2);
  await window.command('Sluice: Sessions');
  await window.page
    .locator('.monaco-list-row', { hasText: /two\s*1 cell · since/ })
    .last()
    .waitFor();
  const pane = window.page.locator('.pane', { has: window.page.locator('.title', { hasText: 'Sessions' }) });
  await pane.hover();
  await pane.getByRole('button', { name: 'Refresh Sessions' }).click();
  await pane.getByRole('button', { name: 'Shut Down All Sessions' }).click();
  await dialog()
    .getByText(/Shut down 2 sessions: (one|two)\.sluice\.ts, (one|two)\.sluice\.ts\?/)
    .waitFor();
  await window.screenshot('sessions-shut-down-all');
  await dialog().getByRole('button', { name: 'Shut Down', exact: true }).click();
  await kernelsAre('no kernel', (pids) => pids.length === 0);
  await window.page.getByText('No session runs.').waitFor();
  await until(
    'what has become of the cells',
    () => window.statusText(0),
    (status) => /session ended.*Run All/.test(status),
  );
  await other.close();
});

test('the offer after the end goes away when the notebook runs again by another way', { skip }, async () => {
  const offer = window.page.locator('.notification-toast', { hasText: 'outputs are old' });
  assert.equal(await offer.count(), 0, 'nothing is offered to a user who has ended the session');
  await window.runAll();
  for (const index of [0, 1]) await window.finished(index);
  const [kernel] = await kernelsAre('one kernel', (pids) => pids.length === 1);
  process.kill(kernel!, 'SIGKILL');
  await offer.waitFor();
  await window.screenshot('sessions-offer');
  // VS Code itself takes no notification from the screen while the pointer is over it.
  await offer.hover();
  await window.page.keyboard.press('F1');
  await window.page.locator('.quick-input-widget input').first().fill('>Notebook: Run All');
  const first = window.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: 'Notebook: Run All' });
  await first.waitFor();
  await window.page.keyboard.press('Enter');
  await offer.waitFor({ state: 'hidden' });
  await kernelsAre('one kernel', (pids) => pids.length === 1 && pids[0] !== kernel);
  await window.screenshot('sessions-offer-gone');
});
