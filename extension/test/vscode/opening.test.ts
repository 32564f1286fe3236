// A notebook file opens in a real VS Code as a notebook, with its cells, their ids and their own
// language. Nothing is written.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import type { NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% [markdown]
// # A tiny notebook
// With *prose*.

// %% id=numbers
import { generate } from 'sluice';
const numbers = generate({ rate: 10 }, ({ n }) => ({ n }));

// %% id=shown
numbers.show();
export {};
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('tiny.sluice.ts', text);
  window = await editor.open('tiny.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

test('a file opens as a notebook with its cells', { skip }, async () => {
  await window.codeCells.nth(1).waitFor();
  assert.deepEqual(await window.codeTexts(), [
    "import { generate } from 'sluice';\nconst numbers = generate({ rate: 10 }, ({ n }) => ({ n }));",
    'numbers.show();\nexport {};',
  ]);
  await window.outputs.getByText('A tiny notebook').waitFor();
  await window.screenshot('opening');
});

test('cells have the language sluice, and show their ids', { skip }, async () => {
  for (const [index, id] of ['numbers', 'shown'].entries()) {
    await window.status(index).getByText('Sluice Cell').waitFor();
    await window.status(index).getByText(id, { exact: true }).waitFor();
  }
});

test('keywords are coloured as TypeScript', { skip }, async () => {
  const cell = window.codeCell(0);
  await cell.locator('.view-line span[class*="mtk"]').first().waitFor();
  const colourOf = (word: string): Promise<string> =>
    cell
      .locator('.view-line span span', { hasText: word })
      .first()
      .evaluate((node) => getComputedStyle(node).color);
  assert.notEqual(await colourOf('import'), await colourOf('numbers'));
});

test('opening writes nothing and leaves the file clean', { skip }, async () => {
  assert.equal(await window.isDirty(), false);
  assert.equal(editor.read('tiny.sluice.ts'), text);
});

test('a file that is not UTF-8 is not opened or changed, and the error names the way out', { skip }, async () => {
  const bytes = Buffer.from("// %% id=a\nconst city = 'Z\xfcrich';\n", 'latin1');
  writeFileSync(join(editor.folder, 'latin.sluice.ts'), bytes);
  await window.page.locator('.explorer-folders-view').getByText('latin.sluice.ts').click();
  await window.page
    .getByText(/This file is not UTF-8 text: .*Save it as UTF-8 and open it again/)
    .first()
    .waitFor();
  await window.screenshot('opening-not-utf8');
  await window.page.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(readFileSync(join(editor.folder, 'latin.sluice.ts')), bytes);
  // The other notebook has not changed.
  await window.page.locator('.tab', { hasText: 'tiny.sluice.ts' }).click();
  await window.codeCells.nth(1).waitFor();
  await window.runCell(0);
  await window.finished(0);
});
