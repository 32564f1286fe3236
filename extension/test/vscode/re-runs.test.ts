// A re-run replaces only the operators of its cell. The other chart loses no row, and keeps its
// state, its nodes and its place.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { displayLog, type LoggedMessage } from './display-log.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=ticks
import { backpressure, generate } from 'sluice';
const ticks = generate({ rate: 200, seed: 1, timestamp: 'at' }, ({ n, now }) => ({ n, at: now, all: 'all', total: 1 }));
const counted = ticks.keyBy('all').reduce((sofar, tick) => ({ ...tick, total: sofar.total + 1 }));
counted.chart({ mark: 'line', x: 'at', y: 'total' });

// %% id=other
const even = counted.filter((tick) => tick.n % 2 === 0).map((tick) => ({ ...tick, half: tick.n / 2 }));
even.chart({ mark: 'line', x: 'at', y: 'half' });

// %% id=panel
backpressure();
export {};
`;

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor();
  editor.write('again.sluice.ts', text);
  window = await editor.open('again.sluice.ts');
  for (const index of [0, 1, 2]) {
    await window.runCell(index);
    await window.finished(index);
  }
});
afterAll(async () => {
  await editor?.close();
});

/**
 * Differences between the first chart and its expected state over the re-runs of another cell, one
 * sentence each.
 */
function flaws(log: readonly LoggedMessage[]): string[] {
  const found: string[] = [];
  const messages = log.filter(({ view }) => view === 'ticks');
  assert.ok(messages.length > 20, 'there is something to look at');
  for (const [i, message] of messages.entries()) {
    const last = messages[i - 1];
    if (last !== undefined && message.epoch !== last.epoch) found.push(`epoch ${last.epoch} became ${message.epoch}`);
    if (last !== undefined && message.seq !== last.seq + 1)
      found.push(`seq ${last.seq} was followed by ${message.seq}`);
  }
  const rows = messages.flatMap((message) => message.rows) as { n: number; total: number }[];
  for (const [i, row] of rows.entries()) {
    const last = rows[i - 1];
    if (last !== undefined && row.n !== last.n + 1) found.push(`n ${last.n} was followed by ${row.n}`);
    if (last !== undefined && row.total <= last.total) found.push(`the count fell from ${last.total} to ${row.total}`);
  }
  for (const { opened } of log)
    for (const [source, times] of Object.entries(opened))
      if (times !== 1) found.push(`${source} was opened ${times} times`);
  return [...new Set(found)];
}

test(
  'five re-runs of another cell leave no gap, no repeat and no hole, and open no source again',
  { skip },
  async () => {
    await window.view('ticks').locator('svg.marks').waitFor();
    for (let run = 1; run <= 5; run++) {
      const before = (await displayLog(window.page)).length;
      await window.runCell(1);
      await window.finished(1);
      await until(
        'frames after the run',
        async () => (await displayLog(window.page)).length,
        (n) => n > before + 5,
      );
    }
    const log = await displayLog(window.page);
    assert.ok(log.filter(({ view, type }) => view === 'ticks' && type === 'delta').length > 20);
    assert.ok(
      log.some(({ opened }) => Object.keys(opened).length > 0),
      'the panel says how often sources were opened',
    );
    assert.deepEqual(flaws(log), []);
  },
);

/** The source reads a value of another cell, so that an edit of that cell makes the source anew. */
const capturing = `// %% id=rate
const rate = 200

// %% id=ticks
import { backpressure, generate } from 'sluice';
const ticks = generate({ rate, seed: 1, timestamp: 'at' }, ({ n, now }) => ({ n, at: now, all: 'all', total: 1 }));
const counted = ticks.keyBy('all').reduce((sofar, tick) => ({ ...tick, total: sofar.total + 1 }));
counted.chart({ mark: 'line', x: 'at', y: 'total' });

// %% id=panel
backpressure();
export {};
`;

test('when a run makes the source anew, the same does not hold', { skip }, async (t) => {
  const other = await startEditor();
  t.onTestFinished(() => other.close());
  other.write('anew.sluice.ts', capturing);
  const anew = await other.open('anew.sluice.ts');
  for (const index of [0, 1, 2]) {
    await anew.runCell(index);
    await anew.finished(index);
  }
  await anew.view('ticks').locator('svg.marks').waitFor();
  const framesAfter = async (before: number): Promise<unknown> =>
    until(
      'frames after the run',
      async () => (await displayLog(anew.page)).length,
      (n) => n > before + 30,
    );
  await framesAfter(0);
  assert.deepEqual(flaws(await displayLog(anew.page)), [], 'until then there is no flaw');
  await anew.writeAtEnd(0, ' + 1');
  for (const index of [0, 1]) {
    const before = (await displayLog(anew.page)).length;
    await anew.runCell(index);
    await anew.finished(index);
    await framesAfter(before);
  }
  assert.notDeepEqual(flaws(await displayLog(anew.page)), []);
});

test('an edit of the other cell replaces its chart only', { skip }, async () => {
  const before = (await displayLog(window.page)).filter(({ view }) => view === 'ticks').length;
  await window.writeAtEnd(
    1,
    "\ncounted.filter((tick) => tick.n % 3 === 0).chart({ mark: 'point', x: 'at', y: 'total' });",
  );
  await until(
    'the phase',
    () => window.statusText(1),
    (status) => /edited/.test(status),
  );
  await window.runCell(1);
  await window.finished(1);
  await until(
    'frames after the run',
    async () => (await displayLog(window.page)).filter(({ view }) => view === 'ticks').length,
    (n) => n > before + 5,
  );
  assert.deepEqual(flaws(await displayLog(window.page)), []);
});

test('root node, Vega view, height and scroll position stay over re-runs and 60 s', { skip }, async () => {
  const chart = window.view('ticks').locator('.sl-plot').first();
  const scroller = window.notebook.locator('.cell-list-container .monaco-scrollable-element').first();
  await chart.evaluate((plot) => {
    const kept = plot as unknown as { vegaView: unknown };
    (globalThis as { kept?: unknown[] }).kept = [
      plot,
      plot.closest('[data-cell]'),
      plot.querySelector('svg'),
      kept.vegaView,
    ];
  });
  const heightOf = (): Promise<number> => window.view('ticks').evaluate((node) => node.getBoundingClientRect().height);
  const topOf = (): Promise<number> =>
    scroller.evaluate((node) => node.querySelector('.monaco-list-rows')!.getBoundingClientRect().top);
  const [height, top] = [await heightOf(), await topOf()];
  const heights = new Set<number>();
  const tops = new Set<number>();
  const end = Date.now() + 60_000;
  for (let run = 0; Date.now() < end; run++) {
    if (run % 10 === 0) await window.runCell(1);
    heights.add(await heightOf());
    tops.add(await topOf());
    await window.page.waitForTimeout(500);
  }
  assert.deepEqual([...heights], [height]);
  assert.deepEqual([...tops], [top]);
  assert.ok(
    await chart.evaluate((plot) => {
      const now = plot as unknown as { vegaView: unknown };
      const [root, view, svg, vega] = (globalThis as { kept?: unknown[] }).kept!;
      return (
        root === plot &&
        view === plot.closest('[data-cell]') &&
        svg === plot.querySelector('svg') &&
        vega === now.vegaView
      );
    }),
    'the same objects draw the chart',
  );
  assert.deepEqual(flaws(await displayLog(window.page)), []);
  await window.screenshot('re-runs');
});
