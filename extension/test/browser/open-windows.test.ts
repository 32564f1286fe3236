// Windows that are still open are drawn before they close, lighter or dashed, and are never taken
// for final ones.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ChartPart, PartChange, TablePart, WireRow } from '../../../kernel/protocol/displays.ts';
import {
  lineSpec,
  openRows as open,
  ScriptedView,
  start,
  take,
  totalsPart,
  windowRows,
} from '../renderer/scripted-session.ts';
import { describeWebview, type Webview } from '../renderer/webview.ts';

const bars = {
  data: { name: 'rows' },
  mark: { type: 'bar', orient: 'vertical' },
  encoding: {
    x: { field: 'windowStart', type: 'temporal' },
    x2: { field: 'windowEnd' },
    y: { field: 'total', type: 'quantitative', stack: 'zero' },
  },
};
const part = (closed: readonly WireRow[], more: Partial<ChartPart> = {}): ChartPart => ({
  ...totalsPart(closed, start),
  ...more,
});
function change(view: ScriptedView, closed: readonly WireRow[], now: readonly WireRow[]) {
  const caption = { pieces: ['the next open window closes in ≈ 8 s'], waiting: false };
  const figures = { rate: 1, sampled: 1, total: closed.length, caption };
  const rows: PartChange = { kind: 'rows', id: 'totals', rows: closed, open: now, ...figures };
  return { type: 'view', message: view.change(rows) } as const;
}
/** Length and dashes of the lines in the chart. */
const lines = (webview: Webview): Promise<readonly { readonly dashes: string; readonly points: number }[]> =>
  webview.page.evaluate(() =>
    [...document.querySelectorAll('.sl-plot .mark-line path')].map((path) => ({
      dashes: path.getAttribute('stroke-dasharray') ?? '',
      points: (path.getAttribute('d') ?? '').split(/[ML]/).length - 1,
    })),
  );

describeWebview('open windows', (withWebview) => {
  test('a chart without a closed window has its bar, and its line is dashed to the open window', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const view = new ScriptedView('totals', [part([], { open: open(windows.next().value) })]);
      await webview.show(view);
      assert.equal(await webview.page.locator('.sl-plot .sl-empty').isVisible(), false);
      assert.equal((await webview.chartRows()).length, 3);
      const closed = [...take(windows, 3)].flat();
      await webview.receive(change(view, closed, open(windows.next().value)));
      const last = (closed.at(-1)!.value as { total: number }).total;
      assert.match((await webview.texts('.sl-legend')).join(), new RegExp(`zoe\\s+${last.toLocaleString('en-US')}`));
      assert.deepEqual(await lines(webview), [
        ...Array.from({ length: 3 }, () => ({ dashes: '3,3', points: 4 })),
        ...Array.from({ length: 3 }, () => ({ dashes: '', points: 3 })),
      ]);
      // The window has closed: its row is no open one any more.
      await webview.receive(change(view, windows.next().value, []));
      assert.deepEqual(
        (await lines(webview)).map(({ points }) => points),
        [4, 4, 4],
      );
    }));

  test('bars, points and areas of open windows are lighter, and say what they are', () =>
    withWebview(async (webview) => {
      for (const spec of [bars, { ...lineSpec, mark: { type: 'point', filled: true } }]) {
        const windows = windowRows(start);
        windows.next();
        const closed = windows.next().value;
        const one = open(windows.next().value).slice(0, 1);
        const view = new ScriptedView('totals', [part(closed, { spec, open: one })]);
        view.epoch = `e${spec.mark.type}`;
        await webview.show(view);
        const opacities = await webview.page.evaluate(() =>
          [...document.querySelectorAll('.sl-plot .mark-rect path, .sl-plot .mark-symbol path')].map((path) =>
            Number(path.getAttribute('opacity') ?? 1),
          ),
        );
        assert.deepEqual(opacities.toSorted(), [0.35, 1, 1, 1], spec.mark.type);
        const marks = webview.page.locator('.sl-plot .mark-rect path, .sl-plot .mark-symbol path');
        await marks.nth(3).hover({ force: true });
        await webview.page.waitForFunction(() => document.querySelector('.sl-tip')?.textContent?.includes('open'));
        assert.match((await webview.texts('.sl-tip')).join(), /its window is still open/);
      }
      const areas = part([...take(windowRows(start), 2)].flat(), {
        spec: { ...lineSpec, mark: { type: 'area', line: true, opacity: 0.5 } },
        open: open([...take(windowRows(start), 3)].at(-1)!),
      });
      const view = new ScriptedView('totals', [areas]);
      view.epoch = 'area';
      await webview.show(view);
      assert.equal(await webview.page.locator('.sl-plot .mark-area path').count(), 6);
    }));

  test('a spec without a place for the difference shows closed windows only', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const spec = { data: { name: 'rows' }, layer: [{ mark: 'line', encoding: lineSpec.encoding }] };
      await webview.show(
        new ScriptedView('totals', [part(windows.next().value, { spec, open: open(windows.next().value) })]),
      );
      assert.equal((await webview.chartRows()).length, 3);
    }));

  test('a table names open and partial windows, newest first, and its rows replace them', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const { spec: _spec, ...common } = part(windows.next().value);
      const table: TablePart = { ...common, kind: 'table', limit: 20, open: open(windows.next().value) };
      const view = new ScriptedView('totals', [table]);
      await webview.show(view);
      assert.deepEqual((await webview.texts('.sl-table th')).slice(0, 2), ['time', 'window']);
      const states = () => webview.texts('.sl-table tbody tr:not(.sl-none) td:nth-child(2)');
      assert.deepEqual(await states(), ['open', 'open', 'open', 'partial', 'partial', 'partial']);
      const closed = [...take(windowRows(start), 2)].at(-1)!;
      await webview.receive(change(view, closed, []));
      assert.deepEqual(await states(), ['', '', '', 'partial', 'partial', 'partial']);
      assert.match((await webview.texts('.sl-table .sl-figures')).join(), /1\/s/);
    }));
});
