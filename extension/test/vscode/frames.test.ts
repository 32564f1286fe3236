// A display never slows the stream. A chart paints about four times a second at every input rate,
// and the size of its messages does not grow with the input.
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import { after, before, test } from 'node:test';
import { displayLog } from './display-log.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor();
const text = `// %% id=slow
import { generate } from 'sluice';
const slow = generate({ rate: 2_000, timestamp: 'at' }, ({ n, now, random }) => ({ n, at: now, value: random() }));
slow.chart({ mark: 'line', x: 'at', y: 'value' });
export {};

// %% id=fast
const fast = generate({ rate: 50_000, timestamp: 'at' }, ({ n, now, random }) => ({ n, at: now, value: random() }));
fast.chart({ mark: 'line', x: 'at', y: 'value' });
`;
const watchedMillis = 30_000;

let editor: Editor;
let window: NotebookWindow;
before(async () => {
  if (skip !== undefined) return;
  editor = await startEditor();
  editor.write('frames.sluice.ts', text);
  window = await editor.open('frames.sluice.ts');
  for (const index of [0, 1]) {
    await window.runCell(index);
    await window.finished(index);
  }
  for (const cell of ['slow', 'fast']) await window.view(cell).locator('svg.marks').waitFor();
});
after(async () => {
  await editor?.close();
});

/** Animation frames in which the chart's picture changed. */
async function paints(cell: string, millis: number): Promise<number> {
  return window
    .view(cell)
    .locator('.sl-plot svg')
    .first()
    .evaluate(
      (svg, watched) =>
        new Promise<number>((resolve) => {
          let painted = 0;
          let changed = false;
          const observer = new MutationObserver(() => (changed = true));
          observer.observe(svg, { subtree: true, attributes: true, childList: true });
          const end = performance.now() + watched;
          const frame = (): void => {
            if (changed) painted++;
            changed = false;
            if (performance.now() < end) requestAnimationFrame(frame);
            else resolve(painted);
          };
          requestAnimationFrame(frame);
        }),
      millis,
    );
}

test('at 50,000 records/s the chart paints at least 3.5 times a second over 30 s', { skip }, async (t) => {
  await until(
    'the rate',
    () => window.statusText(1),
    (status) => /in (4[5-9]|5\d)(\.\d)? k\/s/.test(status),
    30_000,
  );
  // Other processes may load the machine, so the best of three runs counts.
  const perSecond: number[] = [];
  while (perSecond.length < 3 && !perSecond.some((rate) => rate >= 3.5))
    perSecond.push((await paints('fast', watchedMillis)) / (watchedMillis / 1_000));
  const painted = `painted ${perSecond.map((rate) => rate.toFixed(1)).join(', ')} times a second`;
  // Our three busy threads cause a load of about three. More than four per core comes from other
  // processes, and then the run proves nothing.
  const [load = 0] = loadavg();
  if (Math.max(...perSecond) < 3.5 && load > 4 * availableParallelism()) {
    console.warn(
      `SKIPPED: ${painted}, but the machine has a load of ${load.toFixed(1)} on ${availableParallelism()} cores`,
    );
    t.skip(`the machine is busy: ${painted}`);
    return;
  }
  assert.ok(Math.max(...perSecond) >= 3.5, painted);
  await window.screenshot('frames');
});

test('what the kernel sends does not grow with the input', { skip }, async () => {
  const log = await displayLog(window.page);
  const end = log.at(-1)!.at;
  const bytesOf = (cell: string): number =>
    log
      .filter(({ view, type, at }) => view === cell && type === 'delta' && at > end - 20_000)
      .reduce((sum, { bytes }) => sum + bytes, 0) / 20;
  const [slow, fast] = [bytesOf('slow'), bytesOf('fast')];
  assert.ok(slow > 0);
  assert.ok(fast / slow < 1.3 && slow / fast < 1.3, `2,000/s: ${slow} bytes/s; 50,000/s: ${fast} bytes/s`);
});
