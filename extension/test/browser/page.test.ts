// The served page in a real browser with a scripted session: its content, and its automatic
// reconnect.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';
import type { DemoServer } from '../renderer/demo-server.ts';
import { serveDemo } from '../renderer/demo-server.ts';

describe('the served page', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  let demo: DemoServer;
  beforeAll(async () => {
    [demo, browser] = await Promise.all([serveDemo(Date.UTC(2024, 0, 1, 12)), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await demo.close();
  });
  const withPage = async (
    size: { width: number; height: number },
    work: (page: Page) => Promise<void>,
  ): Promise<void> => {
    const page = await browser.newPage({ viewport: size });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${demo.address}/?token=demo`);
    await page.waitForSelector('.sl-plot svg .mark-line path');
    await work(page);
    await page.close();
    assert.deepEqual(errors, []);
  };
  const wide = { width: 1_200, height: 2_600 };

  test('the page shows title, prose, displays, phases and the top line, and code is folded away', () =>
    withPage(wide, async (page) => {
      assert.equal(await page.title(), 'Orders, live');
      assert.equal(await page.locator('.sl-prose h1').innerText(), 'Orders, live');
      assert.match(await page.locator('.sl-bar-top').innerText(), /^live · 3 viewers · 18\.2 k\/s · session since/);
      assert.match(
        await page.locator('#cell-totals .sl-phase').innerText(),
        /^live · totals · in 18\.2 k\/s · out 412\/s · held back by enrich/,
      );
      assert.equal(await page.locator('#cell-totals code').isVisible(), false);
      await page.click('#cell-totals summary:has-text("show code")');
      assert.match(await page.locator('#cell-totals code').innerText(), /tumbling\('10s'\)/);
    }));

  test('markup in prose is text', () =>
    withPage(wide, async (page) => {
      assert.equal(await page.locator('.sl-prose script, .sl-prose img').count(), 0);
      assert.match(await page.locator('.sl-prose').first().innerText(), /<img src=x onerror=alert\(1\)>/);
    }));

  test('a phone has one column that does not scroll sideways', () =>
    withPage({ width: 390, height: 3_400 }, async (page) => {
      await page.waitForSelector('.sl-backpressure tbody tr');
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.equal(content, window);
      const plot = await page.locator('#cell-totals .sl-plot').boundingBox();
      assert.ok((plot?.width ?? 0) > 340, String(plot?.width));
    }));

  test('displays move, and the page keeps its height while they do', () =>
    withPage(wide, async (page) => {
      await page.waitForSelector('.sl-backpressure tbody tr');
      const look = () =>
        page.evaluate(
          () =>
            [document.documentElement.scrollHeight, document.querySelector('.sl-table tbody')!.textContent] as const,
        );
      const [height, first] = await look();
      await page.waitForFunction((text) => document.querySelector('.sl-table tbody')!.textContent !== text, first);
      await page.waitForFunction(
        (text) => document.querySelector('.sl-table tbody')!.textContent !== text,
        (await look())[1],
      );
      assert.equal((await look())[0], height);
    }));

  test('a lost connection is restored automatically, and every display continues in its nodes', () =>
    withPage(wide, async (page) => {
      await page.evaluate(
        () =>
          void (window.kept = {
            plot: document.querySelector('.sl-plot'),
            vega: document.querySelector('.sl-plot')!.vegaView,
          }),
      );
      // The page may have its connection again before the test looks.
      await page.evaluate(() =>
        new MutationObserver(() => {
          if (document.querySelector('.sl-link-cut, .sl-link-connecting')) window.kept['wasCut'] = true;
        }).observe(document.body, { subtree: true, childList: true, attributes: true }),
      );
      demo.cut();
      await page.waitForFunction(() => window.kept['wasCut'] === true);
      await page.waitForSelector('.sl-link-live');
      const first = await page.evaluate(() => document.querySelector('.sl-table tbody')!.textContent);
      await page.waitForFunction((text) => document.querySelector('.sl-table tbody')!.textContent !== text, first);
      const same = await page.evaluate(() => [
        document.querySelector('.sl-plot') === window.kept['plot'],
        document.querySelector('.sl-plot')!.vegaView === window.kept['vega'],
      ]);
      assert.deepEqual(same, [true, true]);
    }));

  test('the data of a display is saved as a file of JSON lines', () =>
    withPage(wide, async (page) => {
      await page.hover('#cell-orders .sl-table');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.click('#cell-orders button[aria-label=data]'),
      ]);
      assert.equal(download.suggestedFilename(), 'orders.jsonl');
    }));
});
