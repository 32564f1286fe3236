// The notebook's webview keeps nodes, heights, scroll positions and colours while data flows. It
// keeps no more rows than it shows.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { WireRow } from '../../../kernel/protocol/displays.ts';
import {
  backpressurePart,
  errorPart,
  logPart,
  orderRows,
  ordersPart,
  ScriptedView,
  silentCaption,
  totalsPart,
  windowRows,
  rows,
  start,
  take,
} from '../renderer/scripted-session.ts';
import { drawingClock } from '../renderer/drawing-clock.ts';
import { describeWebview } from '../renderer/webview.ts';

describeWebview('what is drawn', (withWebview) => {
  test('root, plot and Vega view stay the same objects over 200 deltas, an item that is written again and another output element', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart([], start)]);
      const windows = windowRows(start);
      await webview.show(view);
      await webview.receive(rows(view, 'totals', windows.next().value));
      await webview.page.evaluate(() => {
        const plot = document.querySelector('.sl-plot')!;
        window.kept = {
          root: document.querySelector('.sluice'),
          plot,
          vega: plot.vegaView,
          svg: plot.querySelector('svg'),
        };
      });
      for (let delta = 0; delta < 200; delta++) {
        const message = rows(view, 'totals', windows.next().value);
        if (delta % 20 === 19) await webview.receive(message);
        else await webview.page.evaluate((one) => window.host.receive(one), message);
        if (delta === 60)
          await webview.page.evaluate(
            () => void window.host.output('totals', 'totals-2', 's1', document.querySelector<HTMLElement>('.output')!),
          );
        if (delta === 120) {
          await webview.page.evaluate(() => {
            window.host.dispose('totals-2');
            document.querySelector('.output')!.remove();
            window.host.output('totals', 'totals-3');
          });
        }
      }
      await webview.settle();
      const same = await webview.page.evaluate(() => {
        const plot = document.querySelector('.sl-plot')!;
        const now = {
          root: document.querySelector('.sluice'),
          plot,
          vega: plot.vegaView,
          svg: plot.querySelector('svg'),
        };
        return Object.entries(now).map(([name, value]) => [name, value !== null && value === window.kept[name]]);
      });
      assert.deepEqual(Object.fromEntries(same), { root: true, plot: true, vega: true, svg: true });
      assert.equal((await webview.chartRows()).length, 3 * 31);
    }));

  test('a chart and a table keep the height of their empty first frame', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('both', [
        { ...ordersPart([]), rate: 0, total: 0, caption: { pieces: [], waiting: false } },
        { ...totalsPart([], start), caption: silentCaption(start) },
        backpressurePart(),
      ]);
      await webview.show(view);
      const heights = async () => [
        await webview.height('.sl-table'),
        await webview.height('.sl-chart'),
        await webview.height('.sl-backpressure'),
      ];
      const first = await heights();
      assert.ok(
        first.every((height) => height > 80),
        String(first),
      );
      const windows = windowRows(start);
      const orders = orderRows(start);
      for (let delta = 0; delta < 12; delta++) {
        await webview.receive(
          rows(view, 'totals', windows.next().value),
          rows(view, 'orders', take(orders, 1 + delta * 7)),
          {
            type: 'view',
            message: view.change({
              kind: 'backpressure',
              id: 'pressure',
              operators: backpressurePart().operators.map((row) => ({
                ...row,
                culprit: delta % 2 === 0 ? undefined : 'limits the flow: 2 ms a record',
                late: delta,
              })),
              points: {},
              thread: 0.3,
            }),
          },
        );
        assert.deepEqual(await heights(), first, `after delta ${String(delta)}`);
      }
    }));

  test('the scroll position of a long notebook stays while everything above and below it moves', () =>
    withWebview(async (webview) => {
      // All views are seen once in a high window. Then the window gets the height of an editor.
      await webview.page.setViewportSize({ width: 1_000, height: 2_600 });
      const views = ['a', 'b', 'c', 'd'].map((name) => new ScriptedView(name, [totalsPart([], start), ordersPart([])]));
      for (const view of views) await webview.show(view);
      await webview.page.setViewportSize({ width: 1_000, height: 700 });
      await webview.page.evaluate(() => window.scrollTo(0, 900));
      const anchor = () =>
        webview.page.evaluate(() => [
          window.scrollY,
          document.querySelectorAll('.sl-chart')[2]!.getBoundingClientRect().top,
        ]);
      const before = await anchor();
      assert.equal(before[0], 900);
      const windows = views.map(() => windowRows(start));
      const orders = orderRows(start);
      for (let delta = 0; delta < 10; delta++) {
        await webview.receive(
          ...views.flatMap((view, index) => [
            rows(view, 'totals', windows[index]!.next().value),
            rows(view, 'orders', take(orders, 20)),
          ]),
        );
        assert.deepEqual(await anchor(), before, `after delta ${String(delta)}`);
      }
    }));

  test('rows beyond the limit leave the browser: Vega and the DOM contain only kept rows', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [
        { ...totalsPart([], start), limit: 50, lastMillis: undefined },
        { ...ordersPart([]), limit: 30 },
      ]);
      await webview.show(view);
      const windows = windowRows(start);
      const orders = orderRows(start);
      for (let delta = 0; delta < 60; delta++) {
        await webview.receive(rows(view, 'totals', windows.next().value), rows(view, 'orders', take(orders, 10)));
      }
      const charted = await webview.chartRows();
      assert.equal(charted.length, 50);
      assert.equal(await webview.page.locator('.sl-table tbody tr').count(), 10);
      const derived = await webview.page.evaluate(() => {
        const { data } = document
          .querySelector('.sl-plot')!
          .vegaView!.getState({ data: () => true, signals: () => false }) as { data: Record<string, unknown[]> };
        return Object.values(data).map((rowsOf) => (Array.isArray(rowsOf) ? rowsOf.length : 0));
      });
      assert.ok(
        derived.every((length) => length <= 50),
        String(derived),
      );
    }));

  test('a re-run cell shows its new rows although they have the numbers of old ones', () =>
    withWebview(async (webview) => {
      const numbered = (field: string, ...totals: number[]): WireRow[] =>
        totals.map((total, index) => ({
          n: index + 1,
          t: start + index,
          value: { [field]: 'x', windowEnd: { $date: start + index }, total },
        }));
      const parts = (field: string, ...totals: number[]) =>
        [
          { ...ordersPart(numbered(field, ...totals)), id: 'table', total: totals.length },
          { ...totalsPart(numbered(field, ...totals), start), total: totals.length },
        ] as const;
      const view = new ScriptedView('totals', parts('customer', 1, 2, 3));
      await webview.show(view);
      const [table, chart] = parts('name', 10, 20);
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'put', part: table, at: 0 }, { kind: 'put', part: chart, at: 1 }),
      });
      assert.deepEqual(
        (await webview.chartRows()).map(({ total }) => total),
        [10, 20],
      );
      const head = (await webview.texts('.sl-table thead tr')).join().trim().split(/\s+/);
      assert.deepEqual(head, ['time', 'name', 'total']);
      assert.match((await webview.texts('.sl-table tbody tr')).at(0) ?? '', /20$/);
    }));

  test('another epoch with the same spec keeps the Vega view; another spec makes a new view in the same plot', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const view = new ScriptedView('totals', [totalsPart(windows.next().value, start)]);
      await webview.show(view);
      const keep = () =>
        webview.page.evaluate(
          () =>
            void (window.kept = {
              plot: document.querySelector('.sl-plot'),
              vega: document.querySelector('.sl-plot')!.vegaView,
            }),
        );
      const same = () =>
        webview.page.evaluate(() => [
          document.querySelector('.sl-plot') === window.kept['plot'],
          document.querySelector('.sl-plot')!.vegaView === window.kept['vega'],
        ]);
      await keep();
      view.epoch = 'e2';
      view.parts = [totalsPart(windowRows(start + 10_000).next().value, start)];
      await webview.receive({ type: 'view', message: view.snapshot() });
      assert.deepEqual(await same(), [true, true]);
      assert.equal((await webview.chartRows()).length, 3);
      const height = await webview.height('.sl-chart');
      const other = { ...totalsPart(windows.next().value, start) };
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'put', part: { ...other, spec: { ...other.spec, mark: 'bar' } }, at: 0 }),
      });
      assert.deepEqual(await same(), [true, false]);
      assert.equal(await webview.height('.sl-chart'), height);
    }));

  test('a change of theme recolours an existing chart', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart(take(windowRows(start), 5).flat(), start)]);
      await webview.show(view);
      const look = () =>
        webview.page.evaluate(() => {
          const lines = [...document.querySelectorAll('.sl-plot svg .mark-line path')];
          const label = document.querySelector('.sl-plot svg .role-axis-label text')!;
          window.kept ??= { vega: document.querySelector('.sl-plot')!.vegaView };
          return {
            lines: [...new Set(lines.map((line) => getComputedStyle(line).stroke))],
            label: getComputedStyle(label).fill,
            isSame: document.querySelector('.sl-plot')!.vegaView === window.kept['vega'],
          };
        });
      const dark = await look();
      await webview.page.evaluate(() => window.host.theme('light'));
      await webview.settle();
      const light = await look();
      assert.deepEqual(dark.lines, ['rgb(55, 148, 255)', 'rgb(209, 134, 22)', 'rgb(137, 209, 133)']);
      assert.deepEqual(light.lines, ['rgb(26, 133, 255)', 'rgb(209, 134, 22)', 'rgb(56, 138, 52)']);
      assert.notEqual(dark.label, light.label);
      assert.ok(light.isSame);
    }));

  test('a series keeps its colour and its place in the legend when another one leaves or comes', () =>
    withWebview(async (webview) => {
      const of = (n: number, customer: string, t: number): WireRow => ({
        n,
        key: customer,
        t,
        value: { customer, windowEnd: { $date: t }, total: n },
      });
      const view = new ScriptedView('totals', [
        { ...totalsPart([of(1, 'ann', start), of(2, 'bob', start + 60_000)], start), lastMillis: 120_000 },
      ]);
      await webview.show(view);
      const legend = () =>
        webview.page.evaluate(() =>
          [...document.querySelectorAll<HTMLElement>('.sl-legend-line:not([hidden])')].map((line) => [
            line.innerText.replace(/\s+/g, ' ').trim(),
            line.querySelector<HTMLElement>('.sl-swatch')!.style.background,
          ]),
        );
      const before = await legend();
      assert.deepEqual(
        before.map(([text]) => text),
        ['ann 1', 'bob 2'],
      );
      await webview.receive(rows(view, 'totals', [of(3, 'aaron', start + 150_000)]));
      const after = await legend();
      assert.deepEqual(
        after.map(([text]) => text),
        ['ann', 'bob 2', 'aaron 3'],
      );
      assert.deepEqual(
        after.slice(0, 2).map(([, colour]) => colour),
        before.map(([, colour]) => colour),
      );
    }));

  test('a removed part loses its nodes, and a new part stands at its place', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('enrich', [totalsPart([], start), logPart(start)]);
      await webview.show(view);
      await webview.page.evaluate(() => void (window.kept = { chart: document.querySelector('.sl-chart') }));
      await webview.receive({ type: 'view', message: view.change({ kind: 'put', part: errorPart, at: 0 }) });
      const kinds = () =>
        webview.page.evaluate(() =>
          [...document.querySelectorAll('.sl-part')].map((part) => part.className.split(' ')[1]),
        );
      assert.deepEqual(await kinds(), ['sl-error', 'sl-chart', 'sl-log']);
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'remove', id: 'log' }, { kind: 'remove', id: 'error' }),
      });
      assert.deepEqual(await kinds(), ['sl-chart']);
      assert.ok(await webview.page.evaluate(() => document.querySelector('.sl-chart') === window.kept['chart']));
    }));

  test('60 rows in two displays cost so little CPU that they can be painted 3.5 times a second', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const windows = windowRows(start);
      const view = new ScriptedView('both', [ordersPart(take(orders, 100)), totalsPart([], start)]);
      await webview.show(view);
      const deltas = Array.from({ length: 16 }, () => [
        rows(view, 'orders', take(orders, 60)),
        rows(view, 'totals', windows.next().value),
      ]).flat();
      const clock = await drawingClock(webview.page.mainFrame());
      const before = await clock.cpuMillis();
      await webview.page.evaluate(async (messages) => {
        const first = () => document.querySelector('.sl-table tbody tr')!.textContent;
        const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        for (let index = 0; index < messages.length; index += 2) {
          const last = first();
          window.host.receive(messages[index]!);
          window.host.receive(messages[index + 1]!);
          while (first() === last) await nextFrame();
          // What is drawn after the table belongs to this update, too.
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }, deltas);
      const millis = ((await clock.cpuMillis()) - before) / (deltas.length / 2);
      assert.ok(millis > 0 && millis <= 1_000 / 3.5, `${millis.toFixed(0)} ms of CPU for an update`);
    }));

  test('labels that become wider are not cut', () =>
    withWebview(async (webview) => {
      const spec = {
        data: { name: 'rows' },
        mark: 'bar',
        encoding: { x: { field: 'total', type: 'quantitative' }, y: { field: 'customer', type: 'nominal' } },
      };
      const view = new ScriptedView('totals', [{ ...totalsPart([], start), spec }]);
      await webview.show(view);
      const height = await webview.height('.sl-chart');
      const cut = () =>
        webview.page.evaluate(() => {
          const plot = document.querySelector('.sl-plot')!.getBoundingClientRect();
          return [...document.querySelectorAll('.sl-plot svg text')]
            .map((text) => [text.textContent, text.getBoundingClientRect()] as const)
            .filter(
              ([, { left, top, right, bottom }]) =>
                left < plot.left - 1 || top < plot.top - 1 || right > plot.right + 1 || bottom > plot.bottom + 1,
            )
            .map(([text]) => text);
        });
      // Most grow by less than the one before them.
      const names = ['li', 'maximilian', 'maximilian II', 'maximilian III.', 'a rather long name of one'];
      for (const [n, customer] of names.entries()) {
        await webview.receive(rows(view, 'totals', [{ n, t: start, value: { customer, total: 10 ** n } }]));
        assert.deepEqual(await cut(), [], customer);
      }
      assert.equal(await webview.height('.sl-chart'), height);
    }));
});
