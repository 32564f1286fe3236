// Shows the drawing to people: serves the demo, and takes pictures with `--shots DIR`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from './browser.ts';
import { serveDemo } from './demo-server.ts';
import { demoViews } from './scripted-session.ts';

const now = Date.now();
const demo = await serveDemo(now);
const shots = process.argv.indexOf('--shots');
if (shots < 0) {
  console.log(`${demo.address}/?token=demo`);
} else {
  const folder = process.argv[shots + 1] ?? 'shots';
  await mkdir(folder, { recursive: true });
  const browser = await openBrowser();
  try {
    for (const scheme of ['dark', 'light'] as const) {
      await webview(browser, scheme, folder);
      await page(browser, scheme, folder, 1_200, 'page');
      await page(browser, scheme, folder, 390, 'phone');
    }
  } finally {
    await browser.close();
    await demo.close();
  }
}

async function page(
  browser: Browser,
  scheme: 'dark' | 'light',
  folder: string,
  width: number,
  name: string,
): Promise<void> {
  const tab = await browser.newPage({
    viewport: { width, height: 1_000 },
    colorScheme: scheme,
    deviceScaleFactor: 1.5,
  });
  report(tab);
  await tab.goto(`${demo.address}/?token=demo`);
  await tab.waitForSelector('.sl-plot svg');
  // Scrolls past everything once, as a reader does, so that every view has been seen.
  await tab.setViewportSize({ width, height: 3_000 });
  await tab.waitForTimeout(2_500);
  await tab.setViewportSize({ width, height: 1_000 });
  await tab.screenshot({ path: join(folder, `${name}-${scheme}.png`), fullPage: true });
  await tab.close();
}

async function webview(browser: Browser, scheme: 'dark' | 'light', folder: string): Promise<void> {
  const tab = await browser.newPage({
    viewport: { width: 1_060, height: 2_200 },
    colorScheme: scheme,
    deviceScaleFactor: 1.5,
  });
  report(tab);
  await tab.goto(`${demo.address}/webview`);
  await tab.waitForFunction(() => document.title === 'ready');
  const views = [...demoViews(now).values()];
  await tab.evaluate(
    (theme) => (globalThis as never as { host: { theme(kind: string): void } }).host.theme(theme),
    scheme,
  );
  for (const view of views) {
    await tab.evaluate((cell) => {
      (globalThis as never as { host: { output(cell: string): void } }).host.output(cell);
    }, view.view);
    await tab.evaluate((message) => {
      (globalThis as never as { host: { receive(message: unknown): void } }).host.receive({ type: 'view', message });
    }, view.snapshot());
  }
  await tab.waitForTimeout(600);
  await tab.hover('.sl-table tbody tr:nth-child(3)');
  await tab.click('.sl-table tbody tr:nth-child(3) td:nth-child(3)');
  await tab.screenshot({ path: join(folder, `webview-${scheme}.png`), fullPage: true });
  const plot = tab.locator('[data-cell=totals] .sl-plot');
  const box = await plot.boundingBox();
  if (box !== null) await tab.mouse.move(box.x + box.width * 0.6, box.y + 60);
  await tab.waitForTimeout(100);
  await tab.locator('[data-cell=totals]').screenshot({ path: join(folder, `chart-${scheme}.png`) });
  const points = tab.locator('[data-cell=quakes] .mark-symbol path');
  await points.nth(200).hover({ force: true });
  await tab.waitForTimeout(100);
  await tab.locator('[data-cell=quakes]').screenshot({ path: join(folder, `points-${scheme}.png`) });
  await tab.close();
}

function report(tab: Page): void {
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) console.log(`[browser ${message.type()}] ${message.text()}`);
  });
  tab.on('pageerror', (error) =>
    console.log('[page error]', error.message, error.stack?.split('\n').slice(0, 4).join('\n')),
  );
}
