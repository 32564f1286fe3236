// The messages of the renderer to the extension host, and their times: hello, hide, and actions of
// the user.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  orderRows,
  ordersPart,
  ScriptedView,
  totalsPart,
  windowRows,
  rows,
  start,
  take,
} from '../renderer/scripted-session.ts';
import { describeWebview } from '../renderer/webview.ts';

describeWebview('the renderer and its host', (withWebview) => {
  test('after a gap the renderer requests the missed changes once, and drawing continues with the answer', () =>
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

  test('a view out of sight sends hide, and a hello with its last state when it is visible again', () =>
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

  test('a collapsed output and a hidden tab send hide; shown again, they send hello', () =>
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

  test('a disposed output sends hide, and later messages draw nothing', () =>
    withWebview(async (webview) => {
      const view = new ScriptedView('totals', [totalsPart([], start)]);
      await webview.show(view);
      await webview.forgetPosted();
      await webview.page.evaluate(() => window.host.dispose());
      assert.deepEqual(await webview.posted(), [{ type: 'hide', session: 's1', view: 'totals' }]);
      await webview.receive(rows(view, 'totals', windowRows(start).next().value));
      assert.equal(await webview.page.locator('.sluice').count(), 0);
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
});
