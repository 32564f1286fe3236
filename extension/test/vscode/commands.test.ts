// The commands of the palette: a sample with its data, a new notebook, a folder set up, the live
// page. In an untrusted folder nothing starts.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';
import { SideBar } from './side-bar.ts';

const skip = whyNoEditor() !== undefined;
let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('mine/readme.txt', 'a folder of the user’s\n');
  window = await editor.open();
});
afterAll(async () => {
  await editor?.close();
});

/** The width of a picture's file. It is 0 while the picture is not loaded, or is broken. */
const widthOf = (picture: Locator): Promise<number> =>
  picture.evaluate((node) => (node as unknown as { naturalWidth: number }).naturalWidth);
const here = (...names: string[]): string => join(editor.folder, ...names);

test('the walkthrough has one step, which leads to Open a Sample', { skip }, async () => {
  await window.command('Welcome: Open Walkthrough...');
  await window.pick('Get Started with Sluice');
  const step = window.page.getByRole('button', { name: 'Open a Sample', exact: true });
  await step.waitFor();
  // Its text and its picture come from the package.
  const media = window.page.frameLocator('iframe.webview').last().frameLocator('#active-frame');
  await media.getByText('Run means attach').waitFor();
  await until(
    'the width of the picture',
    () => widthOf(media.locator('img')),
    (width) => width > 0,
  );
  await window.screenshot('commands-walkthrough');
  await step.click();
  await window.page.locator('.quick-input-list').getByText('A first chart').first().waitFor();
  await window.page.keyboard.press('Escape');
});

test('Open a Sample copies it with its data, and it runs there', { skip }, async () => {
  await window.command('Sluice: Open a Sample');
  await window.pick('A first chart');
  await window.answer(`${here('mine')}/`);
  await window.cells.first().waitFor({ state: 'attached' });
  assert.deepEqual(readdirSync(here('mine')).sort(), ['01-first-chart.sluice.ts', 'data', 'readme.txt']);
  assert.deepEqual(readdirSync(here('mine', 'data')), ['earthquakes.jsonl']);
  await window.runCell(0);
  await window.finished(0);
  await until(
    'points',
    async () => (await window.chartRows('quakes')).length,
    (n) => n > 2,
  );
});

test('Open Live Page shows the same session in a browser', { skip }, async () => {
  await window.allowOpening();
  const opening = window.page.context().waitForEvent('page');
  await window.command('Sluice: Open Live Page');
  const page = await opening;
  await page.waitForURL(/token=/);
  // code-server sends addresses of this machine through its proxy, which is off here. So the test
  // requests the page itself.
  const [, port, rest] = /\/proxy\/(\d+)(\/.*)$/.exec(page.url()) ?? [];
  assert.ok(port !== undefined && rest !== undefined, page.url());
  await page.goto(`http://127.0.0.1:${port}${rest}`);
  await page.locator('.sl-plot svg.marks').first().waitFor();
  await page.getByText('A first chart').first().waitFor();
  assert.equal(editor.processes('kernel-').length, 1);
  await window.screenshot('commands-live-page', page);
  await page.close();
});

test('New Notebook creates the file where it is asked to, with an ending of our own', { skip }, async () => {
  await window.command('Sluice: New Notebook');
  await window.answer(here('numbers'));
  await until(
    'the file',
    () => Promise.resolve(existsSync(here('numbers.sluice.ts'))),
    (there) => there,
  );
  await window.page.locator('.tab.active', { hasText: 'numbers.sluice.ts' }).waitFor();
  await until(
    'its cell',
    () => window.cellId(0),
    (id) => id === 'numbers',
  );
  await window.runCell(0);
  await window.finished(0);
  await until(
    'rows',
    () => window.statusText(0),
    (status) => /live/.test(status),
  );
  assert.equal(await window.isDirty(), false);
});

test('the keys are those of Jupyter where the notebook has the focus', { skip }, async () => {
  // Each run shows another value, so a key that runs nothing is seen.
  editor.write('keys.sluice.ts', '// %% id=a\nDate.now()\n');
  const keys = await editor.open('keys.sluice.ts');
  // Without a kernel, a key that runs a cell asks for one.
  await keys.notebook.locator('.notebook-toolbar-right .kernel-label', { hasText: 'Sluice' }).waitFor();
  const counts = async (n: number): Promise<unknown> =>
    until(
      `${n} cells`,
      () => keys.codeCells.count(),
      (count) => count === n,
    );
  const press = (...pressed: string[]): Promise<void> =>
    pressed.reduce(async (before, key) => {
      await before;
      await keys.page.keyboard.press(key);
    }, Promise.resolve());
  const isFocused = (index: number): Promise<void> => keys.codeCell(index).and(keys.page.locator('.focused')).waitFor();
  await keys.selectCell(0);
  await press('b');
  await counts(2);
  await isFocused(1);
  await press('k');
  await isFocused(0);
  await press('j');
  await isFocused(1);
  await press('d', 'd');
  await counts(1);
  await press('z');
  await counts(2);
  await keys.selectCell(0);
  await press('a');
  await counts(3);
  await press('d', 'd');
  await counts(2);
  // A cell that was deleted before it had an id leaves the ids of the others as they are.
  await until(
    'the id of the first cell',
    () => keys.cellId(0),
    (id) => id === 'a',
  );
  const value = async (): Promise<string> => ((await keys.view('a').count()) === 0 ? '' : keys.view('a').innerText());
  const runsBy = async (key: string): Promise<void> => {
    const before = await value();
    await keys.selectCell(0);
    await press(key);
    const runs = (text: string): boolean => /\d{13}/.test(text.replaceAll(',', '')) && text !== before;
    await until(`a run by ${key}`, value, runs);
  };
  await runsBy('Shift+Enter');
  await isFocused(1);
  await runsBy('Control+Enter');
  await isFocused(0);
  await counts(2);
  await runsBy('Alt+Enter');
  await counts(3);
  // The new cell is below, and its text has the focus.
  await keys.page.keyboard.press('Escape');
  await isFocused(1);
  await press('d', 'd');
  await counts(2);
  await keys.screenshot('commands-keys');
  await keys.page.keyboard.press('Control+S');
});

test('the Extensions view begins with the extension, and no picture is broken', { skip }, async () => {
  await window.command('Extensions: Show Installed Extensions');
  await window.page.locator('.extensions-list .monaco-list-row', { hasText: 'Sluice' }).first().click();
  const page = window.page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  await page.getByText('Run its cells one after the other').waitFor();
  await window.screenshot('commands-extension');
  const text = await page.locator('body').innerText();
  assert.doesNotMatch(text, /clone|npm (start|run)/);
  // The icon of the extension comes from the package.
  const icon = window.page.locator('.extension-editor .icon-container img').first();
  await until(
    'the width of the icon',
    () => widthOf(icon),
    (width) => width === 256,
  );
  const sources = await page.locator('img').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('src')));
  for (const source of sources) assert.match(source ?? '', /^https:/);
  // Without an address for pictures, the text leads to the one of the walkthrough.
  if (sources.length === 0) assert.match(text, /Open Walkthrough….*Get Started with Sluice.*picture/);
  await window.command('View: Close Editor');
});

test('Set Up This Folder writes declarations and a tsconfig', { skip }, async () => {
  await window.command('Sluice: Set Up This Folder');
  await until(
    'the files',
    () => Promise.resolve(existsSync(here('package.json'))),
    (there) => there,
  );
  assert.match(readFileSync(here('.sluice', 'sluice.d.ts'), 'utf8'), /declare module 'sluice'/);
  assert.match(readFileSync(here('tsconfig.json'), 'utf8'), /"module": "nodenext"/);
});

test('in a folder that is not trusted a notebook opens, and nothing starts or connects', { skip }, async (t) => {
  const connections = { prod: { brokers: '127.0.0.1:1' } };
  const strict = await startEditor({ trust: false, settings: { 'sluice.connections': connections } });
  t.onTestFinished(() => strict.close());
  strict.write('quiet.sluice.ts', '// %% id=a\nconst a: string = 1;\nexport {};\n');
  const quiet = await strict.open('quiet.sluice.ts');
  await until(
    'its cell',
    () => quiet.cellId(0),
    (id) => id === 'a',
  );
  assert.equal(await quiet.notebook.getByRole('button', { name: /^Interrupt/ }).count(), 0);
  await quiet.writeAtEnd(0, '\na.');
  await quiet.page.waitForTimeout(2_000);
  assert.equal(await quiet.notebook.locator('.squiggly-error, .squiggly-warning').count(), 0);
  const sideBar = new SideBar(quiet);
  await sideBar.open();
  await sideBar.pane.getByText('In this folder nothing connects until you trust it.').waitFor();
  assert.equal(await sideBar.pane.locator('.monaco-list-row').count(), 0);
  for (const program of ['kernel-', 'kernel.cjs', 'language.cjs']) assert.deepEqual(strict.processes(program), []);
  await quiet.screenshot('commands-untrusted');
  await quiet.command('View: Close Editor');
  await quiet.page.waitForTimeout(1_000);
  assert.deepEqual(strict.processes('language.cjs'), []);
});
