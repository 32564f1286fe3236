// A display does not slow the stream, and many rows do not slow the display: a chart paints at most
// once for an update, a paint is cheap, and the messages of the kernel do not grow with the input.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { drawingClock } from '../renderer/drawing-clock.ts';
import { displayLog, type LoggedMessage } from './display-log.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=slow
import { generate } from 'sluice';
const slow = generate({ rate: 2_000, timestamp: 'at' }, ({ n, now, random }) => ({ n, at: now, value: random() }));
slow.chart({ mark: 'line', x: 'at', y: 'value' });
export {};

// %% id=fast
const fast = generate({ rate: 50_000, timestamp: 'at' }, ({ n, now, random }) => ({ n, at: now, value: random() }));
fast.chart({ mark: 'line', x: 'at', y: 'value' });
`;
const watchedPaints = 100;
/** A thread that needs no more for a picture can paint 3.5 times a second. */
const affordableMillis = 1_000 / 3.5;
/** The input of one chart is 25 times that of the other. */
const mostGrowth = 3;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('frames.sluice.ts', text);
  window = await editor.open('frames.sluice.ts');
  for (const index of [0, 1]) {
    await window.runCell(index);
    await window.finished(index);
  }
  for (const cell of ['slow', 'fast']) await window.view(cell).locator('svg.marks').waitFor();
});
afterAll(async () => {
  await editor?.close();
});

/** Counts the updates of a chart until its picture has changed in so many animation frames. */
async function updatesOf(cell: string, paints: number): Promise<number> {
  return window
    .view(cell)
    .locator('.sl-plot svg')
    .first()
    .evaluate(
      (svg, [view, watched]) =>
        new Promise<number>((resolve) => {
          const updates = (): number =>
            ((globalThis as { sluiceLog?: readonly LoggedMessage[] }).sluiceLog ?? []).filter(
              (message) => message.view === view && message.rows.length > 0,
            ).length;
          const before = updates();
          let painted = 0;
          let changed = false;
          const observer = new MutationObserver(() => (changed = true));
          observer.observe(svg, { subtree: true, attributes: true, childList: true });
          const frame = (): void => {
            if (changed) painted++;
            changed = false;
            if (painted < watched) requestAnimationFrame(frame);
            else resolve(updates() - before);
          };
          requestAnimationFrame(frame);
        }),
      [cell, paints] as const,
    );
}

test(
  'at 50,000 records/s the chart paints once for an update, and its thread has time for 3.5 paints a second',
  { skip },
  async () => {
    // The chart holds 2,000 points: it is full, and its updates have replaced all of them.
    await until(
      'a full chart',
      async () =>
        (await displayLog(window.page)).reduce((sum, one) => sum + (one.view === 'fast' ? one.rows.length : 0), 0),
      (rows) => rows >= 4_000,
      300_000,
    );
    // Nothing here is a rate by the clock, so that other programs on the machine cannot fail it.
    const frame = (await (await window.view('fast').locator('svg.marks').elementHandle()).ownerFrame())!;
    const clock = await drawingClock(frame);
    const before = await clock.cpuMillis();
    const updates = await updatesOf('fast', watchedPaints);
    const millis = ((await clock.cpuMillis()) - before) / watchedPaints;
    const seen = `${watchedPaints} paints for ${updates} updates, ${millis.toFixed(0)} ms of CPU each`;
    console.log(seen);
    assert.ok(watchedPaints <= 1.1 * updates, seen);
    assert.ok(millis > 0 && millis <= affordableMillis, seen);
    await window.screenshot('frames');
  },
);

test('what the kernel sends does not grow with the input', { skip }, async () => {
  const log = await displayLog(window.page);
  const end = log.at(-1)!.at;
  const bytesOf = (cell: string): number =>
    log
      .filter(({ view, type, at }) => view === cell && type === 'delta' && at > end - 20_000)
      .reduce((sum, { bytes }) => sum + bytes, 0) / 20;
  const [slow, fast] = [bytesOf('slow'), bytesOf('fast')];
  assert.ok(slow > 0);
  assert.ok(
    fast / slow < mostGrowth && slow / fast < mostGrowth,
    `2,000/s: ${slow} bytes/s; 50,000/s: ${fast} bytes/s`,
  );
});
