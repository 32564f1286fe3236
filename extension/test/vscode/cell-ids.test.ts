// Ids of cells in a real VS Code: a new cell gets one at once, a copy gets its own, cut and paste
// keeps it, and undo restores it.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = '// %% id=a kept=1\nconst a = 1;\n\n// %% id=b\nconst b = 2;\nexport {};\n';

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('ids.sluice.ts', text);
  editor.write('twice.sluice.ts', '// %% id=a\nconst a = 1;\n\n// %% id=a\nconst b = 2;\nexport {};\n');
  editor.write('bare.sluice.ts', 'export const a = 1;\n');
  window = await editor.open('ids.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

/** Ids in document order, as the status bars show them. */
const ids = async (): Promise<string[]> => {
  const count = await window.codeCells.count();
  return Promise.all(Array.from({ length: count }, (_, index) => window.cellId(index)));
};
const idsBecome = (what: string, good: (ids: string[]) => boolean): Promise<string[]> =>
  until(what, ids, (all) => all.every((id) => id !== '') && good(all));
const key = (...keys: string[]): Promise<void> =>
  keys.reduce((before, pressed) => before.then(() => window.page.keyboard.press(pressed)), Promise.resolve());

test('a new cell gets four letters at once, and they are written into its marker', { skip }, async () => {
  await window.selectCell(0);
  await key('b', 'Escape');
  const [, fresh] = await idsBecome('four letters', (all) => all.length === 3 && /^[a-z]{4}$/.test(all[1]!));
  await key('Control+s');
  await until(
    'the file',
    () => Promise.resolve(editor.read('ids.sluice.ts')),
    (file) => file.includes(`id=${fresh}`),
  );
  assert.equal(
    editor.read('ids.sluice.ts'),
    text.replace('// %% id=b', `// %% id=${fresh}\n\n// %% id=b`),
    'only the new cell’s lines changed',
  );
});

test('undo takes the new cell away', { skip }, async () => {
  await key('Control+z');
  for (let presses = 1; presses < 3 && (await window.codeCells.count()) > 2; presses++) await key('Control+z');
  assert.deepEqual(await idsBecome('two ids', (all) => all.length === 2), ['a', 'b']);
});

test('a copy gets an id of its own, and the original keeps its id', { skip }, async () => {
  await window.selectCell(0);
  await key('Control+c', 'Control+v');
  const all = await idsBecome('an id of its own', (now) => now.length === 3 && /^[a-z]{4}$/.test(now[1]!));
  assert.equal(all[0], 'a');
});

test('cut and paste keeps the id', { skip }, async () => {
  await window.selectCell(0);
  await key('Control+x');
  await idsBecome('two ids', (all) => all.length === 2);
  await window.selectCell(1);
  await key('Control+v');
  // VS Code pastes the text alone: for a moment the pasted cell has a derived id.
  await idsBecome('the ids b and a', (now) => now.length === 3 && now[1] === 'b' && now[2] === 'a');
  await key('Control+s');
  await until(
    'the whole marker',
    () => Promise.resolve(editor.read('ids.sluice.ts')),
    (file) => file.includes('\n\n// %% id=a kept=1\nconst a = 1;\n'),
  );
});

test('a deleted cell comes back with its id', { skip }, async () => {
  await window.selectCell(1);
  await key('Delete');
  await idsBecome('two ids', (all) => all.length === 2 && !all.includes('b'));
  await key('Control+z');
  await idsBecome('the id again', (all) => all.length === 3 && all[1] === 'b');
});

test(
  'duplicates in a file open, are marked, and the later one does not run until it is renamed',
  { skip },
  async () => {
    const other = await editor.open('twice.sluice.ts');
    await until(
      'its id',
      () => other.cellId(1),
      (id) => id === 'a',
    );
    await other.runCell(1);
    await other.failed(1).waitFor();
    await other.outputs.getByText(/A cell above has the id "a" too/).waitFor();
    assert.equal(await other.isDirty(), false);
    await other.status(1).getByText('a', { exact: true }).click();
    const input = other.page.locator('.quick-input-widget input').first();
    await input.fill('later');
    await other.page.keyboard.press('Enter');
    await until(
      'the new id',
      () => other.cellId(1),
      (id) => id === 'later',
    );
    assert.equal(await other.isDirty(), true);
    await other.close();
  },
);

test('a cell without a marker has a derived id, and nothing is written for it', { skip }, async () => {
  const other = await editor.open('bare.sluice.ts');
  await until(
    'its id',
    () => other.cellId(0),
    (id) => id === 'cell-1',
  );
  assert.equal(await other.isDirty(), false);
  await other.close();
});
