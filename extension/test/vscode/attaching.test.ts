// A returning viewer sees everything that happened meanwhile: after a reload, in a reopened tab, in
// a split editor, after half a minute behind another tab, and in a second window.
// The chart's event-time axis has no gap, and the file is never dirty.
import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const file = 'attach.sluice.ts';
const text = `// %% id=ticks
import { generate } from 'sluice';
const ticks = generate({ rate: 8, seed: 1, timestamp: 'at' }, ({ n, now }) => ({ n, at: now, saw: n % 50 }));
ticks.chart({ mark: 'line', x: 'at', y: 'saw', last: '10m' });
export {};
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write(file, text);
  editor.write('other.txt', 'something else\n');
  window = await editor.open(file);
  await window.runCell(0);
  await window.finished(0);
});
afterEach(async () => {
  if (skip) return;
  assert.equal(await window.isDirty(), false);
  assert.equal(editor.read(file), text);
  assert.equal(editor.processes('kernel-').length, 1, 'one kernel served everybody');
});
afterAll(async () => {
  await editor?.close();
});

/**
 * Asserts that every tick since the first is there, once, in order, at least up to `atLeast`.
 * Returns the last one.
 */
async function seesEverything(seen: NotebookWindow, atLeast = 0, chart = 0): Promise<number> {
  const rows = await until(
    'the chart is up to date',
    () => seen.chartRows('ticks', chart),
    (all) => all.length > 0 && (all.at(-1)!['n'] as number) > atLeast,
  );
  const numbers = rows.map((row) => row['n'] as number);
  const first = numbers[0]!;
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => first + i),
    'no gap, no repeat',
  );
  assert.ok(first === 0 || numbers.length >= 1_990, `from the start or full: ${first}, ${numbers.length} rows`);
  return numbers.at(-1)!;
}

test('the chart begins with the first record', { skip }, async () => {
  const last = await seesEverything(window);
  await seesEverything(window, last + 5);
});

test('a reloaded window shows it again', { skip }, async () => {
  const last = await seesEverything(window);
  await window.page.reload();
  await window.cells.first().waitFor({ state: 'attached' });
  await seesEverything(window, last);
  await until(
    'the phase',
    () => window.statusText(0),
    (status) => /live/.test(status),
  );
});

test('a tab that was closed shows it again when it is opened', { skip }, async () => {
  const last = await seesEverything(window);
  await window.command('View: Close Editor');
  await window.notebook.waitFor({ state: 'detached' });
  await window.page.locator('.explorer-folders-view').getByText(file).dblclick();
  await window.cells.first().waitFor({ state: 'attached' });
  await seesEverything(window, last);
});

test('an editor that is hidden for 30 s costs nothing, and is up to date when it is back', { skip }, async () => {
  const last = await seesEverything(window);
  await window.page.locator('.explorer-folders-view').getByText('other.txt').dblclick();
  await window.page.locator('.tab.active', { hasText: 'other.txt' }).waitFor();
  // The session hears a moment later that nobody sees the view.
  let sent = -1;
  const sentSince = async (): Promise<number> => {
    const before = sent;
    await window.page.waitForTimeout(2_000);
    return (sent = await window.sentMessages()) - before;
  };
  await until('the last message', sentSince, (messages) => messages === 0);
  await window.page.waitForTimeout(28_000);
  assert.equal(await window.sentMessages(), sent, 'nothing is sent to a view that nobody sees');
  await window.page.locator('.tab', { hasText: file }).click();
  await seesEverything(window, last + 28 * 8);
});

test('a split editor shows it twice', { skip }, async () => {
  await window.command('View: Split Editor Right');
  await until(
    'two editors',
    () => window.notebook.count(),
    (n) => n === 2,
  );
  const last = await seesEverything(window, 0, 1);
  await Promise.all([seesEverything(window, last + 8, 0), seesEverything(window, last + 8, 1)]);
  await window.screenshot('attaching-split');
  await window.command('View: Close Editor');
  await until(
    'one editor',
    () => window.notebook.count(),
    (n) => n === 1,
  );
  await seesEverything(window, last + 16);
});

test('a second window shows it too, runs included', { skip }, async () => {
  const second = await editor.open(file);
  const last = await seesEverything(second);
  await Promise.all([seesEverything(window, last + 5), seesEverything(second, last + 5)]);
  await second.runCell(0);
  await second.finished(0);
  await seesEverything(window, last + 8);
  await second.close();
});
