// The notebook renderer in a real browser: what stays the same while data flow, and what it says to its host.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { WireRow } from '../../../kernel/protocol/displays.ts';
import { openBrowser, skipWithoutBrowser } from './browser.ts';
import type { DemoServer } from './demo-server.ts';
import { serveDemo } from './demo-server.ts';
import {
  backpressurePart,
  closedCaption,
  errorPart,
  logPart,
  orderRows,
  ordersPart,
  ScriptedView,
  silentCaption,
  totalsPart,
  windowRows,
} from './scripted-session.ts';
import { Webview } from './webview.ts';

const start = Date.UTC(2024, 0, 1, 12);

describe('the renderer', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  let demo: DemoServer;
  before(async () => {
    [demo, browser] = await Promise.all([serveDemo(start, { ticks: false }), openBrowser()]);
  });
  after(async () => {
    await browser.close();
    await demo.close();
  });

  const withWebview = async (work: (webview: Webview) => Promise<void>): Promise<void> => {
    const webview = await Webview.open(browser, demo.address);
    await work(webview);
    await webview.close();
  };

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

  test('a chart and a table have one height from the empty first frame on, whatever comes', () =>
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
      // all are seen once in a high window, then the window is as low as an editor
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

  test('freeze holds the picture, says how many rows came since, and lets go of it', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const view = new ScriptedView('orders', [ordersPart(take(orders, 20))]);
      await webview.show(view);
      const before = await webview.texts('.sl-table tbody');
      await webview.page.hover('.sl-table');
      await webview.page.click('.sl-table button[aria-pressed=false]');
      await webview.receive(rows(view, 'orders', take(orders, 50), 1_500));
      assert.deepEqual(await webview.texts('.sl-table tbody'), before);
      assert.match((await webview.texts('.sl-table button[aria-pressed=true]')).join(), /frozen · 1,500 rows since/);
      await webview.page.click('.sl-table button[aria-pressed=true]');
      await webview.settle();
      assert.match((await webview.texts('.sl-table tbody tr')).at(0) ?? '', /o-99070/);
      assert.match((await webview.texts('.sl-table .sl-tools')).join(), /^freeze/);
    }));

  test('a frozen chart keeps its rows, and has the newest when it goes on', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const view = new ScriptedView('totals', [totalsPart(windows.next().value, start)]);
      await webview.show(view);
      await webview.page.hover('.sl-chart');
      await webview.page.click('.sl-chart button[aria-pressed=false]');
      await webview.receive(rows(view, 'totals', windows.next().value), rows(view, 'totals', windows.next().value));
      assert.equal((await webview.chartRows()).length, 3);
      await webview.page.click('.sl-chart button[aria-pressed=true]');
      await webview.settle();
      assert.equal((await webview.chartRows()).length, 9);
    }));

  test('a table that is scrolled down holds its rows, and goes on at the top', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const view = new ScriptedView('orders', [ordersPart(take(orders, 60))]);
      await webview.show(view);
      await webview.page.evaluate(() => document.querySelector('.sl-table-scroller')!.scrollTo(0, 200));
      await webview.settle();
      const before = await webview.texts('.sl-table tbody');
      assert.match(before[0] ?? '', /^.*o-99050/);
      await webview.receive(rows(view, 'orders', take(orders, 5)));
      assert.deepEqual(await webview.texts('.sl-table tbody'), before);
      await webview.page.evaluate(() => document.querySelector('.sl-table-scroller')!.scrollTo(0, 0));
      await webview.settle();
      assert.match((await webview.texts('.sl-table tbody tr')).at(0) ?? '', /o-99065/);
    }));

  test('a row with the key of another one takes its place, in the table and in the chart', () =>
    withWebview(async (webview) => {
      const keyed = (n: number, customer: string, total: number): WireRow => ({
        n,
        key: customer,
        t: start + n,
        value: { customer, windowEnd: { $date: start + n }, total },
      });
      const first = [keyed(1, 'ann', 10), keyed(2, 'bob', 20), keyed(3, 'zoe', 30)];
      const view = new ScriptedView('totals', [{ ...ordersPart(first), id: 'table' }, totalsPart(first, start)]);
      await webview.show(view);
      await webview.receive(rows(view, 'table', [keyed(4, 'bob', 99)]), rows(view, 'totals', [keyed(4, 'bob', 99)]));
      const lines = (await webview.texts('.sl-table tbody tr')).slice(0, 4).map((line) =>
        line
          .split('\t')
          .slice(1)
          .map((cell) => cell.trim()),
      );
      assert.deepEqual(
        lines.map(([customer, , total]) => [customer, total]),
        [
          ['zoe', '30'],
          ['bob', '99'],
          ['ann', '10'],
          ['', ''],
        ],
      );
      const charted = await webview.chartRows();
      assert.deepEqual(
        new Map(charted.map(({ customer, total }) => [customer, total])),
        new Map([
          ['ann', 10],
          ['zoe', 30],
          ['bob', 99],
        ]),
      );
    }));

  test('a cell that is run again shows its new rows although they are numbered as the old ones were', () =>
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
      assert.deepEqual(head, ['time', 'name', 'windowEnd', 'total']);
      assert.match((await webview.texts('.sl-table tbody tr')).at(0) ?? '', /20$/);
    }));

  test('rows beyond the limit leave the browser: Vega and the DOM hold no more than is kept', () =>
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

  test('a gap asks the host once for what was missed, and drawing goes on from its answer', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const view = new ScriptedView('totals', [totalsPart([], start)]);
      await webview.show(view);
      await webview.receive(rows(view, 'totals', windows.next().value));
      await webview.forgetPosted();
      rows(view, 'totals', windows.next().value);
      await webview.receive(rows(view, 'totals', windows.next().value), rows(view, 'totals', windows.next().value));
      assert.deepEqual(await webview.posted(), [
        { type: 'show', session: 's1', view: 'totals', epoch: 'e1', lastSeq: 1 },
      ]);
      assert.equal((await webview.chartRows()).length, 3);
      await webview.receive({ type: 'view', message: view.snapshot() });
      assert.equal((await webview.chartRows()).length, 12);
    }));

  test('another epoch with the same spec keeps the Vega view; another spec embeds anew in the same plot', () =>
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

  test('a view out of sight says hide, and hello with what it last saw when it is back', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart(windowRows(start).next().value, start)]);
      await webview.show(view);
      await webview.forgetPosted();
      await webview.page.evaluate(() => (document.querySelector<HTMLElement>('.output')!.style.marginTop = '4000px'));
      await webview.page.waitForFunction(() => window.host.posted.length > 0);
      assert.deepEqual(await webview.posted(), [{ type: 'hide', session: 's1', view: 'totals' }]);
      await webview.forgetPosted();
      await webview.page.evaluate(() => (document.querySelector<HTMLElement>('.output')!.style.marginTop = '0'));
      await webview.page.waitForFunction(() => window.host.posted.length > 0);
      assert.deepEqual(await webview.posted(), [
        { type: 'show', session: 's1', view: 'totals', epoch: 'e1', lastSeq: 0 },
      ]);
    }));

  test('a collapsed output and a hidden tab say hide; shown again, they say hello', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart([], start)]);
      await webview.show(view);
      const said = async (type: string) => {
        await webview.page.waitForFunction((wanted) => window.host.posted.at(-1)?.type === wanted, type);
        await webview.forgetPosted();
      };
      await webview.forgetPosted();
      await webview.page.evaluate(() => (document.querySelector<HTMLElement>('.output')!.hidden = true));
      await said('hide');
      await webview.page.evaluate(() => (document.querySelector<HTMLElement>('.output')!.hidden = false));
      await said('show');
      await webview.receive({ type: 'visible', visible: false });
      await said('hide');
      await webview.receive({ type: 'visible', visible: true });
      await said('show');
      await webview.receive({ type: 'again' });
      await said('show');
    }));

  test('a disposed output is gone: hide is said, and later messages draw nothing', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart([], start)]);
      await webview.show(view);
      await webview.forgetPosted();
      await webview.page.evaluate(() => window.host.dispose());
      assert.deepEqual(await webview.posted(), [{ type: 'hide', session: 's1', view: 'totals' }]);
      await webview.receive(rows(view, 'totals', windowRows(start).next().value));
      assert.equal(await webview.page.locator('.sluice').count(), 0);
    }));

  test('a change of theme recolours the chart that is there', () =>
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

  test('the toolbar appears on focus, and its data action asks the host for the rows', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('orders', [ordersPart(take(orderRows(start), 3))]));
      const opacity = () => webview.page.evaluate(() => getComputedStyle(document.querySelector('.sl-tools')!).opacity);
      await webview.page.mouse.move(0, 0);
      assert.equal(await opacity(), '0');
      await webview.page.focus('.sl-tools button[aria-label=data]');
      assert.equal(await opacity(), '1');
      await webview.page.keyboard.press('Enter');
      assert.deepEqual((await webview.posted()).at(-1), {
        type: 'rows',
        session: 's1',
        view: 'orders',
        part: 'orders',
      });
    }));

  test('the filter shows the rows that have the text, and says when none has', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('orders', [ordersPart(take(orderRows(start), 40))]));
      const height = await webview.height('.sl-table');
      await webview.page.fill('.sl-filter', 'O-99007');
      assert.match((await webview.texts('.sl-table tbody')).join().trim(), /^\S+ \S+\s+\S+\s+o-99007/);
      await webview.page.fill('.sl-filter', 'nobody');
      assert.match((await webview.texts('.sl-table .sl-empty')).join(), /none of the 40 rows kept here has "nobody"/);
      assert.equal(await webview.height('.sl-table'), height);
    }));

  test('a row unfolds beside the others, stays while the table moves on, and closes by Escape', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const view = new ScriptedView('orders', [ordersPart(take(orders, 40))]);
      await webview.show(view);
      const height = await webview.height('.sl-table');
      await webview.page.click('.sl-table tbody tr:nth-child(2) td:nth-child(3)');
      assert.match((await webview.texts('.sl-details')).join(), /id:\s+o-99039/);
      await webview.receive(rows(view, 'orders', take(orders, 30)));
      assert.match((await webview.texts('.sl-details')).join(), /id:\s+o-99039/);
      assert.equal(await webview.height('.sl-table'), height);
      await webview.page.keyboard.press('Escape');
      assert.equal(await webview.page.locator('.sl-details:visible').count(), 0);
    }));

  test('an error says where, what, the line with its caret under the column, the record and the way out', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('enrich', [errorPart]));
      const [text = ''] = await webview.texts('.sl-error');
      for (const part of [errorPart.where, errorPart.message, 'record orders[3]@188204', errorPart.hint ?? ''])
        assert.ok(text.includes(part), part);
      const excerpt = await webview.page.evaluate(() =>
        document.querySelector('.sl-excerpt')!.textContent!.split('\n'),
      );
      assert.equal(excerpt[1]!.indexOf('^') - '3 │ '.length, errorPart.location!.column - 1);
      await webview.page.click('.sl-error .sl-link');
      assert.deepEqual((await webview.posted()).at(-1), {
        type: 'open',
        session: 's1',
        cell: 'enrich',
        line: 3,
        column: 36,
      });
    }));

  test('a log stays at its end, keeps to its height, and stays where the reader scrolled to', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('log', [logPart(start, 40)]);
      await webview.show(view);
      const place = () =>
        webview.page.evaluate(() => {
          const { scrollTop, scrollHeight, clientHeight } = document.querySelector('.sl-log-lines')!;
          return { scrollTop, fromEnd: scrollHeight - clientHeight - scrollTop };
        });
      const height = await webview.height('.sl-log');
      const line = (n: number) => ({ n, level: 'log' as const, at: start, text: `line ${String(n)}` });
      assert.ok((await place()).fromEnd < 2);
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'lines', id: 'log', lines: [line(41), line(42)], dropped: 1_204 }),
      });
      assert.ok((await place()).fromEnd < 2);
      assert.equal(await webview.height('.sl-log'), height);
      await webview.page.evaluate(() => (document.querySelector('.sl-log-lines')!.scrollTop = 40));
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'lines', id: 'log', lines: [line(43)], dropped: 1_204 }),
      });
      assert.equal((await place()).scrollTop, 40);
    }));

  test('the panel names the operator that limits the flow, and the levels in words', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('pressure', [backpressurePart()]));
      const lines = await webview.texts('.sl-backpressure tbody tr');
      assert.match(lines.join('\n'), /kafka orders.*75 %\s*HIGH/s);
      assert.match(lines.find((line) => line.includes('map lookup')) ?? '', /◀ slow/);
      assert.match(
        (await webview.texts('.sl-backpressure .sl-header')).join(),
        /map lookup limits the flow: 54 µs a record/,
      );
      assert.equal(await webview.page.locator('.sl-backpressure .sl-spark-line[d^=M]').count(), 5);
    }));

  test('a part that goes away takes its nodes along, and one that comes stands at its place', () =>
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

  test('a spec that cannot be drawn says so in its place, and the next one is drawn', () =>
    withWebview(async (webview) => {
      const part = totalsPart(windowRows(start).next().value, start);
      const view = new ScriptedView('totals', [
        { ...part, spec: { data: { name: 'rows' }, mark: 'no such mark', encoding: {} } },
      ]);
      await webview.show(view);
      assert.match((await webview.texts('.sl-chart')).join(), /This chart's spec cannot be drawn: /);
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'put', part: { ...part, caption: closedCaption(start, start) }, at: 0 }),
      });
      assert.equal((await webview.chartRows()).length, 3);
    }));

  test('60 rows every 250 ms are painted at least 3.5 times a second', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const windows = windowRows(start);
      const view = new ScriptedView('both', [ordersPart(take(orders, 100)), totalsPart([], start)]);
      await webview.show(view);
      const deltas = Array.from({ length: 16 }, () => [
        rows(view, 'orders', take(orders, 60)),
        rows(view, 'totals', windows.next().value),
      ]).flat();
      const painted = await webview.page.evaluate(async (messages) => {
        const first = () => document.querySelector('.sl-table tbody tr')!.textContent;
        let changes = 0;
        let last = first();
        let isOver = false;
        const watch = () => {
          if (first() !== last) {
            last = first();
            changes += 1;
          }
          if (!isOver) requestAnimationFrame(watch);
        };
        requestAnimationFrame(watch);
        const begun = performance.now();
        for (let index = 0; index < messages.length; index += 2) {
          window.host.receive(messages[index]!);
          window.host.receive(messages[index + 1]!);
          await new Promise((resolve) => setTimeout(resolve, 250 - ((performance.now() - begun) % 250)));
        }
        isOver = true;
        return (changes * 1_000) / (performance.now() - begun);
      }, deltas);
      assert.ok(painted >= 3.5, `${painted.toFixed(2)} painted updates a second`);
    }));
});

function rows(view: ScriptedView, id: string, fresh: readonly WireRow[], more = fresh.length) {
  const part = view.parts.find((one) => one.id === id);
  const total = (part !== undefined && 'total' in part ? part.total : 0) + more;
  const change = {
    kind: 'rows',
    id,
    rows: fresh,
    rate: 18_240,
    sampled: 1,
    total,
    caption: closedCaption(start, start),
  } as const;
  return { type: 'view', message: view.change(change) } as const;
}
function take<T>(from: Iterator<T>, length: number): T[] {
  return Array.from({ length }, () => from.next().value as T);
}
