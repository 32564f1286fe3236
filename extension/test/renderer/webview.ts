// A browser tab that replaces VS Code's webview. A test renders outputs into it, sends messages and
// reads the posted ones.
import type { Browser, Page } from 'playwright-core';
import type { View as VegaView } from 'vega';
import { afterAll, beforeAll, describe } from 'vitest';
import type { FromHost, ToHost } from '../../renderer/host-messages.ts';
import { openBrowser, skipWithoutBrowser } from './browser.ts';
import type { DemoServer } from './demo-server.ts';
import { serveDemo } from './demo-server.ts';
import type { ScriptedView } from './scripted-session.ts';
import { start } from './scripted-session.ts';

/** The interface of the webview page; see webview-page.ts. */
interface Host {
  readonly posted: ToHost[];
  output(cell: string, item?: string, session?: string, element?: HTMLElement): HTMLElement;
  dispose(item?: string): void;
  receive(message: FromHost): void;
  theme(kind: 'dark' | 'light'): void;
}
declare global {
  interface Window {
    host: Host;
    kept: Record<string, unknown>;
  }
  interface Element {
    vegaView?: VegaView;
    isBehind?: boolean;
  }
}

export class Webview {
  readonly page: Page;
  readonly #errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.#errors.push(error.stack ?? error.message));
    page.on('console', (message) => {
      // The browser requests an icon of this page automatically.
      if (message.type() === 'error' && !message.text().includes('404')) this.#errors.push(message.text());
    });
  }

  static async open(browser: Browser, address: string): Promise<Webview> {
    const page = await browser.newPage({ viewport: { width: 1_000, height: 900 } });
    const webview = new Webview(page);
    await page.goto(`${address}/webview`);
    await page.waitForFunction(() => document.title === 'ready');
    return webview;
  }

  /** Renders the cell's output and answers its hello with a snapshot. */
  async show(view: ScriptedView): Promise<void> {
    await this.page.evaluate((cell) => void window.host.output(cell), view.view);
    await this.page.waitForFunction(
      (cell) => window.host.posted.some((message) => message.type === 'show' && message.view === cell),
      view.view,
    );
    await this.receive({ type: 'view', message: view.snapshot() });
  }

  async receive(...messages: readonly FromHost[]): Promise<void> {
    await this.page.evaluate((all) => all.forEach((message) => window.host.receive(message)), messages);
    await this.settle();
  }

  /** Waits until the received messages are drawn. */
  async settle(): Promise<void> {
    await this.page.evaluate(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await frame();
      await frame();
      while ([...document.querySelectorAll('.sl-plot')].some((plot) => plot.isBehind === true)) await frame();
      for (const plot of document.querySelectorAll('.sl-plot')) await plot.vegaView?.runAsync();
      await frame();
    });
  }

  posted(): Promise<readonly ToHost[]> {
    return this.page.evaluate(() => window.host.posted);
  }
  forgetPosted(): Promise<void> {
    return this.page.evaluate(() => void window.host.posted.splice(0));
  }
  height(selector: string): Promise<number> {
    return this.page.evaluate((wanted) => document.querySelector(wanted)!.getBoundingClientRect().height, selector);
  }
  texts(selector: string): Promise<readonly string[]> {
    return this.page.locator(selector).allInnerTexts();
  }
  /** Rows that Vega has. */
  chartRows(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.page.evaluate(() => {
      const rows = document.querySelector('.sl-plot')!.vegaView!.data('rows') as Record<string, unknown>[];
      return rows.map((row) => ({ ...row }));
    });
  }

  /** Closes the tab and throws its errors. */
  async close(): Promise<void> {
    await this.page.close();
    if (this.#errors.length > 0) throw new Error(`The webview had errors:\n${this.#errors.join('\n')}`);
  }
}

/** Tests with a webview of their own each, in one browser. */
export function describeWebview(
  name: string,
  tests: (withWebview: (work: (webview: Webview) => Promise<void>) => Promise<void>) => void,
): void {
  describe(name, { skip: skipWithoutBrowser() }, () => {
    let browser: Browser;
    let demo: DemoServer;
    beforeAll(async () => {
      [demo, browser] = await Promise.all([serveDemo(start, { ticks: false }), openBrowser()]);
    });
    afterAll(async () => {
      await browser.close();
      await demo.close();
    });
    tests(async (work) => {
      const webview = await Webview.open(browser, demo.address);
      await work(webview);
      await webview.close();
    });
  });
}
