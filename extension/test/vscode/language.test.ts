// The language of cells in a real VS Code: names of one cell are completed, explained and checked
// in the others, with their types.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=orders
import { count, from, sum, tumbling } from 'sluice';
interface Order { customer: string; amount: number; at: number }
const orders = from<Order>([{ customer: 'ann', amount: 4, at: 0 }], { timestamp: 'at' });

// %% id=totals
const totals = orders.keyBy('customer').window(tumbling('10s')).aggregate({ total: sum('amount'), n: count() });
totals.show();

// %% id=wrong
orders.keyBy('custmer');
export {};
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('language.sluice.ts', text);
  window = await editor.open('language.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

const word = (cell: number, text: string) =>
  window.codeCell(cell).locator('.view-line').getByText(text, { exact: true }).first();

test('a type error in another cell’s stream is a warning, because the cell would run', { skip }, async () => {
  await window.codeCell(2).locator('.squiggly-warning').waitFor();
  assert.equal(await window.notebook.locator('.squiggly-error').count(), 0);
});

test('hovering over a name shows its type', { skip }, async () => {
  const { x, y } = (await word(1, 'orders').boundingBox())!;
  await window.page.mouse.move(x + 2, y + 4);
  await window.page.mouse.move(x + 8, y + 8, { steps: 4 });
  await window.page.locator('.monaco-hover-content').getByText('const orders: Stream<Order>').first().waitFor();
  await window.screenshot('language-hover');
});

test('completions and signatures come as typed', { skip }, async () => {
  await window.writeAtEnd(1, '\ntotals.ke');
  await window.page.locator('.suggest-widget .monaco-list-row', { hasText: 'keyBy' }).first().waitFor();
  await window.page.keyboard.press('Enter');
  await window.page.keyboard.type('(', { delay: 30 });
  const hints = window.page.locator('.parameter-hints-widget.visible');
  await hints.waitFor();
  assert.match(await hints.innerText(), /"customer" \| "total" \| "n"/);
  await window.screenshot('language-signature');
});

test('an error follows the text that is typed in another cell', { skip }, async () => {
  await window.page.keyboard.press('Escape');
  await window.page.keyboard.type("'total');", { delay: 10 });
  await until(
    'no error in the second cell',
    () => window.codeCell(1).locator('.squiggly-error, .squiggly-warning').count(),
    (n) => n === 0,
  );
  await window.writeAtEnd(0, '\nconst totals = 1;');
  await window.codeCell(1).locator('.squiggly-error').first().waitFor();
});
