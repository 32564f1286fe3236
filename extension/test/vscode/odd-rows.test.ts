// Rows that are hard to draw, in VS Code: each spoils only itself.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { leftOut, oddCells, oddNotebook, shownNumbers } from '../../../kernel/test/displays/odd-rows.ts';
import { chartNumbers, numbersInTable } from '../renderer/drawn-numbers.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('odd.sluice.ts', oddNotebook);
  window = await editor.open('odd.sluice.ts', { height: 3_000 });
  for (const index of Object.keys(oddCells).keys()) {
    await window.runCell(index);
    await window.view(Object.keys(oddCells)[index]!).locator('.sl-table, .sl-plot').first().waitFor();
  }
});
afterAll(async () => {
  await editor?.close();
});

test('a table has all rows but the one that is left out, which is the error of the cell', { skip }, async () => {
  const view = window.view('table');
  assert.deepEqual(await numbersInTable(view, shownNumbers.length), shownNumbers);
  assert.match(await view.locator('.sl-error').first().innerText(), leftOut);
  assert.equal(await view.locator('.sl-table img').count(), 0);
});

test(
  'rows and head of a table have no stripes, because the rows below the last one would have them',
  { skip },
  async () => {
    const backgrounds = await window
      .view('table')
      .locator('.sl-table thead, .sl-table tr')
      .evaluateAll((nodes) => [...new Set(nodes.map((node) => getComputedStyle(node as Element).backgroundColor))]);
    assert.deepEqual(backgrounds, ['rgba(0, 0, 0, 0)']);
  },
);

test('a chart has the points of the good rows', { skip }, async () => {
  assert.deepEqual(await chartNumbers(window.view('chart')), [1, 10, 12]);
});

test('the cell beside them is drawn, and has no error', { skip }, async () => {
  const texts = await until(
    'the rows of the other cell',
    () => window.view('good').locator('.sl-table tbody').first().innerText(),
    (text) => text.includes('last'),
  );
  assert.match(texts, /first/);
  assert.equal(await window.view('good').locator('.sl-error').count(), 0);
  await window.screenshot('odd-rows');
});
