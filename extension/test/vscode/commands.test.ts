// The commands of the palette: a sample with its data, a new notebook, a folder set up, the live
// page. In an untrusted folder nothing starts.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

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

const here = (...names: string[]): string => join(editor.folder, ...names);

test('the walkthrough has one step, which leads to Open a Sample', { skip }, async () => {
  await window.command('Welcome: Open Walkthrough...');
  await window.pick('Get Started with Sluice');
  const step = window.page.getByRole('button', { name: 'Open a Sample', exact: true });
  await step.waitFor({ timeout: 30_000 });
  // The picture is our own page of four sentences.
  const media = window.page.frameLocator('iframe.webview').last().frameLocator('#active-frame');
  await media.getByText('Run means attach').waitFor();
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
  const opening = window.page.context().waitForEvent('page', { timeout: 30_000 });
  await window.command('Sluice: Open Live Page');
  const page = await opening;
  await page.waitForURL(/token=/);
  // code-server sends addresses of this machine through its proxy, which is off here. So the test
  // requests the page itself.
  const [, port, rest] = /\/proxy\/(\d+)(\/.*)$/.exec(page.url()) ?? [];
  assert.ok(port !== undefined && rest !== undefined, page.url());
  await page.goto(`http://127.0.0.1:${port}${rest}`);
  await page.locator('.sl-plot svg.marks').first().waitFor({ timeout: 30_000 });
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
  const strict = await startEditor({ trust: false });
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
  assert.deepEqual(strict.processes('kernel-'), []);
  assert.deepEqual(strict.processes('language.cjs'), []);
  await quiet.screenshot('commands-untrusted');
  await quiet.command('View: Close Editor');
  await quiet.page.waitForTimeout(1_000);
  assert.deepEqual(strict.processes('language.cjs'), []);
});
