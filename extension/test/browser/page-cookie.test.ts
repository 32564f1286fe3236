// The address of the served page in a real browser: its token becomes a cookie, and the page works
// again after a reload, in a second tab, and behind a link on another site.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import { bundleRenderer } from '../../../.ci/build/bundle-renderer.ts';
import { servePage } from '../../../kernel/server/serve-page.ts';
import { code, Kernels } from '../../../kernel/test/server/kernels.ts';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';

describe('the address of the served page', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  /** A page of a real session whose cell "a" shows 2. */
  const served = async (t: TestContext): Promise<{ url: URL; home: string; context: BrowserContext }> => {
    const kernels = new Kernels(t);
    await bundleRenderer(kernels.folder);
    const connection = await kernels.connect(kernels.notebook());
    await connection.request('sync', { cells: code({ a: '1 + 1' }) });
    await connection.request('run', { cells: ['a'] });
    const { socket, token } = connection.entry;
    const server = await servePage({ port: 0, folder: join(kernels.folder, 'page'), socket, token });
    t.onTestFinished(() => server.close());
    const context = await browser.newContext();
    t.onTestFinished(() => context.close());
    const url = new URL(server.url);
    return { url, home: `${url.origin}/`, context };
  };
  const showsItsCell = async (page: Page): Promise<void> => {
    await page.waitForSelector('.sl-link-live');
    await page.waitForFunction(() => document.querySelector('#cell-a')?.textContent?.includes('2'));
  };

  test('the token leaves the address, and no script can read the cookie', async (t) => {
    const { url, home, context } = await served(t);
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(`${request.url()} ${request.headers()['referer'] ?? ''}`));
    page.on('websocket', (socket) => asked.push(socket.url()));
    await page.goto(url.href);
    await showsItsCell(page);
    assert.equal(page.url(), home);
    const [cookie] = await context.cookies();
    assert.deepEqual(
      [cookie?.name, cookie?.httpOnly, cookie?.sameSite, cookie?.path, cookie?.expires],
      [`sluice-${url.port}`, true, 'Strict', '/', -1],
    );
    const inPage = await page.evaluate(() =>
      [document.cookie, document.title, location.href, document.referrer].join(),
    );
    const token = url.searchParams.get('token')!;
    assert.ok(!inPage.includes(token) && !inPage.includes(cookie!.value), inPage);
    const [first, ...later] = asked;
    assert.ok(first?.includes(token));
    assert.ok(later.length >= 3 && !later.join('\n').includes(token), later.join('\n'));
  });

  test('the page is there again after a reload and in a second tab, and not in another browser', async (t) => {
    const { url, home, context } = await served(t);
    const page = await context.newPage();
    await page.goto(url.href);
    await showsItsCell(page);
    await page.reload();
    await showsItsCell(page);
    const second = await context.newPage();
    await second.goto(home);
    await showsItsCell(second);
    const stranger = await browser.newContext();
    t.onTestFinished(() => stranger.close());
    const refused = await (await stranger.newPage()).goto(home);
    assert.equal(refused?.status(), 403);
    assert.match(await refused.text(), /no valid token/);
  });

  test('pages of two sessions have a cookie each', async (t) => {
    const one = await served(t);
    const two = await served(t);
    for (const { url } of [one, two, one]) {
      const page = await one.context.newPage();
      await page.goto(url.href);
      await showsItsCell(page);
    }
    assert.equal((await one.context.cookies()).length, 2);
  });

  test('a link on another site opens the page', async (t) => {
    const { url, home, context } = await served(t);
    const page = await context.newPage();
    await page.route('http://other.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<!doctype html><a href="${url.href}">live</a>` }),
    );
    await page.goto('http://other.example/');
    const answers: number[] = [];
    page.on('response', (response) => {
      if (response.request().isNavigationRequest()) answers.push(response.status());
    });
    await page.click('a');
    await showsItsCell(page);
    assert.equal(page.url(), home);
    assert.deepEqual(answers, [303, 403, 200]);
  });
});
