// An error names the user's own line: in a notebook with CRLF, after a multi-line template, in a
// helper module, and in an async function.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const cells = [
  ['first', "import { from } from 'sluice';", 'const rows = from([{ n: 1 }, { n: 2 }]);'],
  ['second', 'const text = `one', 'two ${1 + 1}', 'three`;', 'text;'],
  ['third', '// a comment', 'const wide: number[] = [];', 'wide[0]!.toFixed();'],
  [
    'operator',
    'rows.map((row) => {',
    '  const missing = undefined as unknown as { tier: string };',
    '  return missing.tier + row.n;',
    '}).show();',
  ],
  ['module', "import { broken } from './broken.ts';", 'broken();'],
  [
    'late',
    'async function slowly() {',
    '  await Promise.resolve();',
    "  throw new Error('slowly broken');",
    '}',
    'await slowly();',
  ],
  ['topic', "import { kafka } from 'sluice';", '', "const orders = kafka('orders');", 'orders.show();'],
  ['syntax', 'const a = 1;', 'const b = ;', 'export {};'],
];
const text = cells.map(([id, ...lines]) => [`// %% id=${id}`, ...lines, ''].join('\r\n')).join('\r\n');
const index = (id: string): number => cells.findIndex((cell) => cell[0] === id);

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('errors.sluice.ts', text);
  editor.write(
    'broken.ts',
    '// A helper whose third line breaks.\nexport function broken(): never {\n  throw new Error(`broken\n    helper`);\n}\n',
  );
  window = await editor.open('errors.sluice.ts', { height: 3_000 });
  await window.runCell(index('first'));
  await window.finished(index('first'));
  await window.runCell(index('second'));
  await window.finished(index('second'));
});
afterAll(async () => {
  await editor?.close();
});

/** Runs a failing cell and returns the text under it. */
async function failing(id: string): Promise<string> {
  await window.runCell(index(id));
  const box = window.view(id).locator('.sl-error').first();
  await box.waitFor();
  return box.innerText();
}

test('in the third cell, after a template of several lines', { skip }, async () => {
  const said = await failing('third');
  await window.failed(index('third')).waitFor();
  assert.match(said, /reading 'toFixed'/);
  assert.match(said, /3 │ wide\[0\]!\.toFixed\(\);/);
});

test(
  'in an operator, with the record that caused it, under the cell that defined it and in Problems',
  { skip },
  async () => {
    const said = await failing('operator');
    assert.match(said, /map/);
    assert.match(said, /cell operator, line 3/);
    assert.match(said, /3 │ {3}return missing\.tier \+ row\.n;/);
    assert.match(said, /"n":\s*1/);
    await until(
      'the phase',
      () => window.statusText(index('operator')),
      (status) => /failed/.test(status),
    );
    assert.match(said, /\[0\]@0/, 'its partition and offset');
    // The run had succeeded. The mark of the cell changes with its phase.
    await window.failed(index('operator')).waitFor();
    await window.view('operator').locator('table').waitFor({ state: 'detached' });
    await window.codeCell(index('operator')).locator('.squiggly-error').first().waitFor();
    await window.command('Problems: Focus on Problems View');
    const problem = window.page
      .locator('.markers-panel')
      .getByText(/reading 'tier'/)
      .first();
    await problem.waitFor();
  },
);

test('in a helper module', { skip }, async () => {
  const said = await failing('module');
  assert.match(said, /broken\.ts, line 3/);
  assert.match(said, /3 │ {3}throw new Error/);
});

test('in an async function, after an await', { skip }, async () => {
  const said = await failing('late');
  assert.match(said, /Error: slowly broken/);
  assert.match(said, /3 │ {3}throw new Error\('slowly broken'\);/);
});

test('a syntax error has its place, and the other cells run on', { skip }, async () => {
  const said = await failing('syntax');
  assert.match(said, /2 │ const b = ;/);
  await window.screenshot('errors');
  assert.equal(await window.isDirty(), false);
});

test('a missing connection is an error at the call, and its setting opens', { skip }, async () => {
  const said = await failing('topic');
  assert.match(said, /kafka orders · cell topic, line 3/);
  assert.match(said, /There is no Kafka connection\. Set sluice\.brokers/);
  assert.doesNotMatch(said, /SLUICE_BROKERS/);
  await window.failed(index('topic')).waitFor();
  await window.view('topic').locator('table').waitFor({ state: 'detached' });
  await window.codeCell(index('topic')).locator('.squiggly-error').first().waitFor();
  await window.screenshot('errors-setting');
  await window.status(index('topic')).getByText('Open Setting').click();
  await window.page.locator('.settings-editor').getByText('Kafka brokers of the default connection').waitFor();
  await window.screenshot('errors-setting-opened');
  await window.page.keyboard.press('Escape');
  await window.page.locator('.settings-editor').waitFor({ state: 'detached' });
});

test('a deleted cell takes its problems along', { skip }, async () => {
  const problem = window.page.locator('.markers-panel').getByText(/slowly broken/);
  await problem.first().waitFor();
  await window.selectCell(index('late'));
  await window.page.keyboard.press('Delete');
  await until(
    'the problem to go',
    () => problem.count(),
    (count) => count === 0,
  );
});
