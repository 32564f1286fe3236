// The page and the notebook's outputs have no violation that axe finds, in both themes.
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { violations } from '../renderer/axe.ts';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';
import type { DemoServer } from '../renderer/demo-server.ts';
import { serveDemo } from '../renderer/demo-server.ts';
import { demoViews, start } from '../renderer/scripted-session.ts';
import { Webview } from '../renderer/webview.ts';

describe('axe', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  let demo: DemoServer;
  beforeAll(async () => {
    [demo, browser] = await Promise.all([serveDemo(start, { ticks: false }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await demo.close();
  });

  for (const scheme of ['dark', 'light'] as const) {
    test(`finds nothing in the outputs of a notebook, ${scheme}`, async () => {
      const webview = await Webview.open(browser, demo.address);
      await webview.page.evaluate((kind) => window.host.theme(kind), scheme);
      await webview.page.setViewportSize({ width: 1_000, height: 3_000 });
      for (const view of demoViews(start).values()) await webview.show(view);
      await webview.settle();
      assert.deepEqual(await violations(webview.page.locator('.output')), []);
      await webview.page.locator('.sl-table tbody td').nth(3).click();
      await webview.page.locator('.sl-details').first().waitFor({ state: 'visible' });
      assert.deepEqual(await violations(webview.page.locator('.output')), []);
      await webview.close();
    });

    test(`finds nothing on the served page, ${scheme}`, async () => {
      const page = await browser.newPage({ viewport: { width: 1_200, height: 3_000 }, colorScheme: scheme });
      await page.goto(`${demo.address}/?token=demo`);
      await page.waitForSelector('.sl-plot svg');
      await page.waitForFunction(() =>
        [...document.querySelectorAll('.sl-awaiting')].every((node) => !node.checkVisibility()),
      );
      assert.deepEqual(await violations(page.locator('body')), []);
      await page.close();
    });
  }
});
