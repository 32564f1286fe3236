// A reader's actions on one display, on one page: freeze, scroll, filter, unfold, and read.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ChartPart, WireRow } from '../../../kernel/protocol/displays.ts';
import {
  backpressurePart,
  closedCaption,
  errorPart,
  lagPart,
  logPart,
  orderRows,
  ordersPart,
  quakesPart,
  ScriptedView,
  totalsPart,
  windowRows,
  rows,
  start,
  take,
} from '../renderer/scripted-session.ts';
import { describeWebview } from '../renderer/webview.ts';

describeWebview('a display that is read', (withWebview) => {
  test('freeze stops drawing and counts new rows, and the next click resumes', () =>
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

  test('a frozen chart keeps its rows, and has the newest after it resumes', () =>
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

  test('a rule stands at the first row after a restart, and goes with it', () =>
    withWebview(async (webview) => {
      const windows = windowRows(start);
      const before = windows.next().value;
      const after = windows.next().value;
      const part = totalsPart([...before, ...after], start);
      const mark = { at: start + 20_000, from: start + 10_000, row: after[0]! };
      const view = new ScriptedView('totals', [{ ...part, restarts: [mark] }]);
      await webview.show(view);
      const rules = webview.page.locator('.sl-restart');
      assert.match(
        (await rules.getAttribute('title')) ?? '',
        /^restarted at .*\d\d:\d\d:\d\d from the checkpoint of .*\d\d:\d\d:\d\d$/,
      );
      const plot = (await webview.page.locator('.sl-plot').boundingBox())!;
      // The plot gets its final width a moment after its first picture.
      let box = (await rules.boundingBox())!;
      for (let looks = 0; looks < 1_200 && box.x >= plot.x + plot.width; looks++) {
        await webview.page.waitForTimeout(50);
        box = (await rules.boundingBox())!;
      }
      assert.ok(box.height > 100 && box.x > plot.x + 20 && box.x < plot.x + plot.width, JSON.stringify({ box, plot }));
      await webview.receive({
        type: 'view',
        message: view.change({ kind: 'put', part: { ...part, restarts: [] }, at: 0 }),
      });
      await webview.settle();
      assert.equal(await rules.count(), 0);
    }));

  test('a table that is scrolled down holds its rows, and resumes at the top', () =>
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

  test('the wheel scrolls past a table, and in it after a click', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const view = new ScriptedView('orders', [ordersPart(take(orders, 60))]);
      await webview.show(view);
      await webview.page.evaluate(() =>
        document.body.append(Object.assign(document.createElement('div'), { style: 'height: 3000px' })),
      );
      const tableTop = () => webview.page.evaluate(() => document.querySelector('.sl-table-scroller')!.scrollTop);
      await webview.page.hover('.sl-table tbody tr:nth-child(3) td:nth-child(3)');
      await webview.page.mouse.wheel(0, 60);
      await webview.page.waitForFunction(() => document.scrollingElement!.scrollTop > 0);
      assert.equal(await tableTop(), 0);
      assert.equal(await webview.page.locator('.sl-table button[aria-pressed=true]').count(), 0);
      await webview.receive(rows(view, 'orders', take(orders, 5)));
      assert.match((await webview.texts('.sl-table tbody tr')).at(0) ?? '', /o-99065/);
      await webview.page.evaluate(() => document.scrollingElement!.scrollTo(0, 0));
      await webview.page.click('.sl-table thead th');
      await webview.page.hover('.sl-table tbody tr:nth-child(3) td:nth-child(3)');
      await webview.page.mouse.wheel(0, 60);
      await webview.page.waitForFunction(() => document.querySelector('.sl-table-scroller')!.scrollTop > 0);
      await webview.page.locator('.sl-table button[aria-pressed=true]').waitFor();
    }));

  test('a tooltip that is read stays as it is, and holds the whole reason', () =>
    withWebview(async (webview) => {
      const reason = `waiting: ${'a long reason '.repeat(30)}ends here`;
      const part = (text: string) => ({ ...totalsPart([], start), caption: { pieces: [text], waiting: true } });
      const view = new ScriptedView('totals', [part(reason)]);
      await webview.show(view);
      const title = () => webview.page.locator('.sl-caption:visible').first().getAttribute('title');
      const draw = (text: string) =>
        webview.receive({ type: 'view', message: view.change({ kind: 'put', part: part(text), at: 0 }) });
      assert.equal(await title(), reason);
      await webview.page.locator('.sl-caption:visible').first().hover();
      await draw('another reason');
      assert.equal(await title(), reason);
      assert.deepEqual(await webview.texts('.sl-caption:visible'), ['another reason']);
      await webview.page.mouse.move(0, 0);
      await draw('a third reason');
      assert.equal(await title(), 'a third reason');
    }));

  test('selected text and an unfolded row hold the rows, and let go of them', () =>
    withWebview(async (webview) => {
      const orders = orderRows(start);
      const view = new ScriptedView('orders', [ordersPart(take(orders, 60))]);
      await webview.show(view);
      const frozen = webview.page.locator('.sl-table button[aria-pressed=true]');
      const newest = async () => (await webview.texts('.sl-table tbody tr')).at(0) ?? '';
      await webview.page.evaluate(() => {
        const cell = document.querySelector('.sl-table tbody tr:nth-child(2) td:nth-child(3)')!;
        getSelection()!.selectAllChildren(cell);
      });
      await frozen.waitFor();
      await webview.receive(rows(view, 'orders', take(orders, 5)));
      assert.match(await newest(), /o-99060/);
      assert.equal(await webview.page.evaluate(() => String(getSelection())), 'o-99059');
      await webview.page.evaluate(() => getSelection()!.removeAllRanges());
      await frozen.waitFor({ state: 'detached' });
      await webview.settle();
      assert.match(await newest(), /o-99065/);
      await webview.page.click('.sl-table tbody tr:nth-child(2) td:nth-child(3)');
      await frozen.waitFor();
      await webview.receive(rows(view, 'orders', take(orders, 5)));
      assert.match(await newest(), /o-99065/);
      await frozen.click();
      await webview.settle();
      assert.equal(await webview.page.locator('.sl-details:visible').count(), 0);
      assert.match(await newest(), /o-99070/);
    }));

  test('a row or a part that cannot be shown spoils no other, and the view goes on', () =>
    withWebview(async (webview) => {
      const row = (n: number, value: unknown): WireRow => ({ n, t: start + n, value });
      const good = (n: number) => row(n, { customer: 'ann', windowEnd: { $date: start + n }, total: n });
      const bad = (n: number) => row(n, { $bigint: 'x' });
      const view = new ScriptedView('totals', [
        { ...totalsPart([good(1), bad(2), good(3)], start), id: 'chart' },
        { kind: 'value', id: 'value', text: 'as text', wire: { $later: 1 } },
        // No part has such a caption, so its drawing throws.
        { ...ordersPart([good(1)]), id: 'broken', caption: JSON.parse('null') as ChartPart['caption'] },
        { ...ordersPart([good(1), bad(2), good(3)]), id: 'table' },
      ]);
      await webview.show(view);
      assert.deepEqual(
        (await webview.chartRows()).map(({ total }) => total),
        [1, 3],
      );
      assert.match((await webview.texts('.sl-chart')).join(), /1 row cannot be shown: The tag \$bigint/);
      assert.deepEqual(await webview.texts('.sl-value'), ['as text']);
      assert.match((await webview.texts('.sl-cannot')).join(), /^This cannot be shown: /);
      const lines = async (): Promise<readonly string[]> =>
        (await webview.texts('.sl-table:last-child tbody tr')).filter((text) => text.trim() !== '');
      assert.match((await lines())[1] ?? '', /cannot be shown: The tag \$bigint/);
      await webview.receive(rows(view, 'table', [good(4)]), rows(view, 'chart', [good(4)]));
      assert.equal((await lines()).length, 4);
      assert.equal((await webview.chartRows()).length, 3);
    }));

  test('a row replaces the row with the same key, in the table and in the chart', () =>
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
        lines.map(([customer, total]) => [customer, total]),
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

  test('the filter shows the rows that contain the text, and a sentence if there are none', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('orders', [ordersPart(take(orderRows(start), 40))]));
      const height = await webview.height('.sl-table');
      await webview.page.fill('.sl-filter', 'O-99007');
      assert.match((await webview.texts('.sl-table tbody')).join().trim(), /^\S+ \S+\s+\S+\s+o-99007/);
      await webview.page.fill('.sl-filter', 'nobody');
      assert.match((await webview.texts('.sl-table .sl-empty')).join(), /none of the 40 kept rows contains "nobody"/);
      assert.equal(await webview.height('.sl-table'), height);
    }));

  test('a row unfolds beside the others, stays while rows come, and closes by Escape', () =>
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

  test('an error shows its place, its message, the line with a caret, the record and the way out', () =>
    withWebview(async (webview) => {
      await webview.show(new ScriptedView('enrich', [errorPart]));
      const [text = ''] = await webview.texts('.sl-error');
      for (const part of [errorPart.where, errorPart.message, 'record orders[3]@188204', errorPart.hint ?? ''])
        assert.ok(text.includes(part), part);
      const excerpt = await webview.page.evaluate(() => document.querySelector('.sl-excerpt')!.textContent.split('\n'));
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

  test('the lag of each partition is a table whose cells change in place', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('lag', [lagPart()]);
      await webview.show(view);
      const lines = await webview.texts('.sl-figures-panel tr');
      assert.deepEqual(
        lines.map((line) => line.split('\t').join('|')),
        [
          'kafka orders · cell orders|position|end|lag|behind|rate|',
          '0|188,204|199,104|10,900|4 min 36 s|18.2 k/s|',
          '1|40|||||stopped: orders[1]@40 cannot be read',
        ],
      );
      assert.equal(await webview.page.locator('tr.sl-figures-bad').count(), 1);
      await webview.page.evaluate(() =>
        document.querySelector('.sl-figures-panel tbody tr')!.setAttribute('data-kept', ''),
      );
      const part = lagPart(900);
      const [orders] = part.groups;
      const added = { id: '2', figures: ['2', { count: 1 }, null, null, null, null, null] };
      await webview.receive({
        type: 'view',
        message: view.change({
          kind: 'put',
          part: { ...part, groups: [{ ...orders!, rows: [orders!.rows[0]!, added] }] },
          at: 0,
        }),
      });
      const [first, second] = await webview.texts('.sl-figures-panel tbody tr');
      assert.match(first!, /^0\s+189,104\s+199,104\s+10,000/);
      assert.match(second!, /^2\s+1\b/);
      assert.equal(await webview.page.locator('.sl-figures-panel tbody tr').count(), 2);
      assert.equal(await webview.page.locator('tr[data-kept]').count(), 1, 'the row is the same node');
      await webview.receive({
        type: 'view',
        message: view.change({
          kind: 'put',
          part: { ...part, groups: [], note: 'No topic is read at present.' },
          at: 0,
        }),
      });
      assert.match((await webview.texts('.sl-figures-panel')).join(), /No topic is read at present/);
    }));

  test('an invalid spec shows its error in the plot, and the next spec is drawn', () =>
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

  test('over a line chart the legend shows the values at the pointer, and the newest ones after it leaves', () =>
    withWebview(async (webview) => {
      const at = (second: number, ann: number, bob: number): WireRow[] =>
        [ann, bob].map((total, index) => ({
          n: second * 2 + index,
          t: start + second * 1_000,
          value: { customer: ['ann', 'bob'][index], windowEnd: { $date: start + second * 1_000 }, total },
        }));
      await webview.show(
        new ScriptedView('totals', [totalsPart([at(0, 1, 2), at(10, 3, 4), at(20, 5, 6)].flat(), start)]),
      );
      const legend = async () =>
        (await webview.texts('.sl-legend-line')).map((line) => line.replace(/\s+/g, ' ').trim());
      assert.deepEqual(await legend(), ['ann 5', 'bob 6']);
      const plot = await webview.page
        .locator('.sl-plot svg .mark-rect.background, .sl-plot svg .background')
        .first()
        .boundingBox();
      assert.ok(plot !== null);
      await webview.page.mouse.move(plot.x + plot.width / 2 + 10, plot.y + 40);
      await webview.settle();
      assert.deepEqual(await legend(), ['ann 3', 'bob 4']);
      assert.match((await webview.texts('.sl-rule-label')).join(), /\d\d:00:10$/);
      await webview.page.mouse.move(0, 0);
      await webview.settle();
      assert.deepEqual(await legend(), ['ann 5', 'bob 6']);
      assert.equal(await webview.page.locator('.sl-rule:visible').count(), 0);
    }));

  test('over a point the box shows the fields of its row, without fields that the spec adds', () =>
    withWebview(async (webview) => {
      const t = start + 1_000;
      const value = { time: { $date: t }, magnitude: 4.2, depth: 10, place: 'Sion' };
      const others = [1, 2].map((n) => ({
        n: n + 1,
        t: t + n,
        value: { ...value, time: { $date: t + n * 60_000 }, magnitude: n },
      }));
      await webview.show(new ScriptedView('quakes', [quakesPart([{ n: 1, t, value }, ...others])]));
      await webview.page.locator('.sl-plot .mark-symbol path').first().hover({ force: true });
      await webview.settle();
      const lines = (await webview.texts('.sl-tip > div')).map((line) => line.replace(/\s+/g, ' ').trim());
      assert.deepEqual(lines.slice(1), ['magnitude 4.2', 'depth 10', 'place Sion']);
      assert.match(lines[0] ?? '', /^time .*:00:01$/);
    }));
});
