// Sample 01 in a real VS Code, cell by cell: each cell joins the running stream in well under a
// second, and the charts move.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
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
  cpSync(join(import.meta.dirname, '../../../samples'), editor.folder, { recursive: true });
  window = await editor.open('01-first-chart.sluice.ts');
  await window.codeCell(2).waitFor();
});
afterAll(async () => {
  await editor?.close();
});

const shown = (cell: string): Promise<number> => window.chartRows(cell).then((rows) => rows.length);

test('the first cell starts the kernel, and its chart moves', { skip }, async () => {
  await window.runCell(0);
  await window.finished(0);
  await window.view('quakes').locator('svg.marks').waitFor();
  const first = await until(
    'points in the first chart',
    () => shown('quakes'),
    (n) => n > 0,
  );
  await until(
    'more points',
    () => shown('quakes'),
    (n) => n > first + 3,
  );
  await until(
    'the rate',
    () => window.statusText(0),
    (status) => /live · quakes.*in [\d.]+\/s/.test(status),
  );
});

test('a later cell joins while the first chart continues', { skip }, async () => {
  await window.runCell(1);
  await window.finished(1);
  await window.view('counts').waitFor();
  // The first window closes after half a minute. Its bar is there long before, lighter. On a slow
  // machine it has closed, and the next one is open.
  await until(
    'the bar of an open window',
    () => window.chartRows('counts'),
    (rows) => rows.some((row) => row['__open'] === true),
  );
  const openWindow = JSON.stringify(await window.chartRows('counts'));
  await until(
    'the bar grows',
    async () => JSON.stringify(await window.chartRows('counts')),
    (rows) => rows !== openWindow,
  );
  await until(
    'when the window closes',
    () => window.view('counts').locator('.sl-caption').last().innerText(),
    (caption) => /the next open window closes in (?:< 1|≈ \d+) s/.test(caption),
  );
  const before = await shown('quakes');
  await until(
    'more points in the first chart',
    () => shown('quakes'),
    (n) => n > before,
  );
  await window.runCell(2);
  await window.finished(2);
});

test('each cell shows its phase, and the file stays clean', { skip }, async () => {
  for (const index of [0, 1, 2])
    await until(
      'the phase',
      () => window.statusText(index),
      (status) => /live · /.test(status),
    );
  assert.equal(await window.isDirty(), false);
  await window.screenshot('first-chart');
});

test('every display of a cell stands under it, one below the other', { skip }, async () => {
  editor.write(
    'several.sluice.ts',
    `// %% id=several
import { backpressure, from } from 'sluice';
const one = from([{ a: 1 }]);
for (const k of ['x', 'y']) one.map((r) => ({ k, a: r.a })).show();
backpressure();
one.chart({ mark: 'bar', x: 'a', y: 'a', title: 'all of one' });
const last = 1;
`,
  );
  const several = await editor.open('several.sluice.ts');
  await several.codeCell(0).waitFor();
  await several.runCell(0);
  await several.finished(0);
  const view = several.view('several');
  const titles = await until(
    'the titles of all displays',
    () => view.locator('.sl-title').allInnerTexts(),
    (all) => all.length === 4,
  );
  assert.deepEqual(titles, ['map#1', 'map#2', 'backpressure', 'all of one']);
  await view.locator('svg.marks').waitFor();
  assert.equal(await view.locator('> *').count(), 4);
});
