// What a chart says in figures and words: numbers and dates are written alike on the axis, in the
// legend and in the tooltip, and what cannot be drawn is named.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ChartPart, WireRow } from '../../../kernel/protocol/displays.ts';
import { markToVega } from '../../../kernel/displays/mark-to-vega.ts';
import { lineSpec, ScriptedView, start, totalsPart } from '../renderer/scripted-session.ts';
import { describeWebview, type Webview } from '../renderer/webview.ts';

type Fields = Readonly<Record<string, unknown>>;
const wires = (values: readonly Fields[], stepMillis = 1_000): readonly WireRow[] =>
  values.map((value, index) => ({ n: index + 1, t: start + index * stepMillis, value }));
const chart = (spec: Fields, rows: readonly WireRow[], more: Partial<ChartPart> = {}): ScriptedView =>
  new ScriptedView('totals', [{ ...totalsPart(rows, start), spec, ...more }]);
async function tipAt(webview: Webview, marks: string, nth: number): Promise<string> {
  await webview.page.locator(marks).nth(nth).hover({ force: true });
  await webview.page.waitForFunction(() => (document.querySelector('.sl-tip')?.textContent ?? '') !== '');
  return (await webview.texts('.sl-tip')).join();
}

describeWebview('figures', (withWebview) => {
  test('axis, legend and tooltip write a number in one way', () =>
    withWebview(async (webview) => {
      const rows = wires([
        { at: { $date: start }, n: 12_040, who: 'ann' },
        { at: { $date: start + 1_000 }, n: 15_000.5, who: 'ann' },
      ]);
      const spec = markToVega({ mark: 'point', x: 'at', y: 'n', color: 'who' }, { at: new Date(), n: 1, who: 'ann' });
      await webview.show(chart(spec, rows));
      const texts = await webview.page.evaluate(() =>
        [...document.querySelectorAll('.sl-plot .role-axis-label text')].map(({ textContent }) => textContent),
      );
      assert.ok(texts.includes('12,000') || texts.includes('13,000'), texts.join(' '));
      assert.match((await webview.texts('.sl-legend')).join(), /15,000\.5/);
      assert.match(await tipAt(webview, '.sl-plot .mark-symbol path', 1), /n 15,000\.5/);
    }));

  test('a tooltip writes every date of its row as a time, also the end of a bar', () =>
    withWebview(async (webview) => {
      const first = { windowStart: new Date(), windowEnd: new Date(), n: 1 };
      const spec = markToVega({ mark: 'bar', x: 'windowStart', y: 'n' }, first);
      const bar = { windowStart: { $date: start }, windowEnd: { $date: start + 10_000 }, n: 3, tiny: 1e-9 };
      await webview.show(chart(spec, wires([bar])));
      const tip = await tipAt(webview, '.sl-plot .mark-rect path', 0);
      assert.match(tip, /windowEnd 2024-01-01 \d\d:00:10/);
      assert.match(tip, /tiny 1e-9/);
      assert.doesNotMatch(tip, /\d{13}/);
    }));

  test('bars of a category say what they add up, and so does their tooltip', () =>
    withWebview(async (webview) => {
      const spec = markToVega({ mark: 'bar', x: 'who', y: 'n' }, { who: 'ann', n: 1 });
      await webview.show(
        chart(
          spec,
          wires([
            { who: 'ann', n: 1_000 },
            { who: 'ann', n: 204 },
            { who: 'bob', n: 3 },
          ]),
          { title: 'n' },
        ),
      );
      const titles = await webview.page.evaluate(() =>
        [...document.querySelectorAll('.sl-plot .role-axis-title text')].map(({ textContent }) => textContent),
      );
      assert.ok(titles.includes('sum of n'), titles.join());
      assert.equal(await webview.page.locator('.sl-plot .mark-rect path').count(), 2);
      const tip = await tipAt(webview, '.sl-plot .mark-rect path', 0);
      assert.match(tip, /who ann/);
      assert.match(tip, /sum of n 1,204/);
    }));

  test('a series of one row is a point, and a line as soon as it has two', () =>
    withWebview(async (webview) => {
      const row = (n: number, customer: string): WireRow => ({
        n: customer === 'ann' ? n : n + 10,
        t: start + n,
        value: { customer, windowEnd: { $date: start + n * 10_000 }, total: 1_000 },
      });
      for (const type of ['line', 'area']) {
        const view = chart({ ...lineSpec, mark: { type } }, [row(1, 'ann'), row(2, 'ann'), row(2, 'bob')]);
        view.epoch = type;
        await webview.show(view);
        assert.equal(await webview.page.locator('.sl-plot .mark-symbol path').count(), 1, type);
        const all = { rows: [row(3, 'bob')], rate: 1, sampled: 1, total: 4, caption: { pieces: [], waiting: false } };
        await webview.receive({ type: 'view', message: view.change({ kind: 'rows', id: 'totals', ...all }) });
        assert.equal(await webview.page.locator('.sl-plot .mark-symbol path').count(), 0, type);
      }
      const { color: _color, ...encoding } = lineSpec.encoding;
      const single = chart({ ...lineSpec, encoding }, [row(1, 'ann')]);
      single.epoch = 'single';
      await webview.show(single);
      assert.equal(await webview.page.locator('.sl-plot .mark-symbol path').count(), 1);
    }));

  test('a field that no row has is named, with those that rows have', () =>
    withWebview(async (webview) => {
      const encoding = { ...lineSpec.encoding, y: { field: 'totl', type: 'quantitative' } };
      const rows = wires([{ customer: 'ann', windowEnd: { $date: start }, total: 3 }]);
      await webview.show(chart({ ...lineSpec, encoding }, rows));
      const text = (await webview.texts('.sl-chart')).join();
      assert.match(text, /No row has the field "totl"\. The fields are: customer, windowEnd, total\./);
      const right = chart(lineSpec, rows);
      right.epoch = 'right';
      await webview.show(right);
      assert.doesNotMatch((await webview.texts('.sl-chart')).join(), /No row has/);
    }));

  test('a chart with too many points says how much of its time it shows', () =>
    withWebview(async (webview) => {
      const values = Array.from({ length: 20 }, (_, n) => ({ customer: 'ann', windowEnd: { $date: n }, total: n }));
      await webview.show(chart(lineSpec, wires(values, 500), { limit: 20, lastMillis: 20_000 }));
      assert.match((await webview.texts('.sl-chart .sl-figures')).join(), /20 points: 10 s of 20 s/);
      const young = chart(lineSpec, wires(values, 500), { limit: 2_000, lastMillis: 20_000 });
      young.epoch = 'young';
      await webview.show(young);
      assert.match((await webview.texts('.sl-chart .sl-figures')).join(), /last 20 s/);
    }));

  test('a table of one row has one row', () =>
    withWebview(async (webview) => {
      const { spec: _spec, ...common } = totalsPart(wires([{ v: 1 }]), start);
      await webview.show(new ScriptedView('totals', [{ ...common, kind: 'table', rate: 0, total: 1 }]));
      assert.match((await webview.texts('.sl-table .sl-figures')).join(), /· 1 row ·/);
    }));
});
