// Interrupt in a real VS Code, on the cell and in the toolbar, with and without an executing cell.
// Other cells lose nothing.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { displayLog } from './display-log.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=ticks
import { generate } from 'sluice';
const ticks = generate({ rate: 100, timestamp: 'at' }, ({ n, now }) => ({ n, at: now, all: 'all', total: 1 }));
const counted = ticks.keyBy('all').reduce((sofar, tick) => ({ ...tick, total: sofar.total + 1 }));
counted.chart({ mark: 'line', x: 'at', y: 'total' });
export {};

// %% id=endless
while (Date.now() > 0) {}

// %% id=stuck
ticks.map((tick) => { while (tick.n > 0) {} return tick; }).show();
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('interrupt.sluice.ts', text);
  window = await editor.open('interrupt.sluice.ts');
  await window.runCell(0);
  await window.finished(0);
  await window.view('ticks').locator('svg.marks').waitFor();
});
afterAll(async () => {
  await editor?.close();
});

/** Counts of the first chart in the order in which they were sent, each row once. */
async function counts(): Promise<{ n: number; total: number }[]> {
  const rows = new Map<number, { n: number; total: number }>();
  for (const message of await displayLog(window.page))
    if (message.view === 'ticks')
      for (const row of message.rows as unknown as { n: number; total: number }[]) rows.set(row.n, row);
  return [...rows.values()];
}

async function goesOnWithoutLoss(): Promise<void> {
  const last = (await counts()).at(-1)!.n;
  const rows = await until('the first chart goes on', counts, (all) => all.at(-1)!.n > last + 50);
  for (const [i, row] of rows.entries()) {
    assert.equal(row.n, i, 'no tick is missing or doubled');
    assert.equal(row.total, i + 1, 'no tick is lost or counted twice');
  }
}

async function hasNotReturned(index: number): Promise<void> {
  await until(
    'the call that lasts',
    () => window.statusText(index),
    (status) => /has not returned for/.test(status),
  );
}

test('the toolbar’s button ends an endless loop in a cell', { skip }, async () => {
  await window.runCell(1);
  await window.executing(1).waitFor();
  await hasNotReturned(1);
  await window.notebook
    .locator('.notebook-toolbar-left')
    .getByRole('button', { name: 'Interrupt', exact: true })
    .click();
  await window.failed(1).waitFor();
  assert.match(await window.view('endless').innerText(), /interrupt/i);
  await goesOnWithoutLoss();
});

test('the cell’s own button ends an endless loop in an operator, when nothing executes', { skip }, async () => {
  await window.runCell(2);
  await window.finished(2);
  await hasNotReturned(2);
  await window.codeCell(2).hover();
  await window.codeCell(2).getByRole('button', { name: 'Interrupt Cell' }).click();
  await until(
    'the phase',
    () => window.statusText(2),
    (status) => /failed|not run/.test(status),
  );
  await window.screenshot('interrupt');
  await goesOnWithoutLoss();
  assert.equal(editor.processes('kernel-').length, 1, 'the kernel is the same');
});
