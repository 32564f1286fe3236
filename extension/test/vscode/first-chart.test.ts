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
  assert.match(await window.statusText(0), /live · quakes.*in [\d.]+\/s/);
});

test('a later cell joins while the first chart continues', { skip }, async () => {
  await window.runCell(1);
  await window.finished(1);
  assert.ok((await window.runSeconds(1)) < 1, 'attached in under a second');
  await window.view('counts').waitFor();
  const before = await shown('quakes');
  await until(
    'more points in the first chart',
    () => shown('quakes'),
    (n) => n > before,
  );
  await window.runCell(2);
  await window.finished(2);
  assert.ok((await window.runSeconds(2)) < 1, 'attached in under a second');
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
