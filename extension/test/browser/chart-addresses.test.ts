// A chart fetches nothing and navigates nowhere, whatever its spec and its rows contain. The page of
// these tests has no Content Security Policy, so only the renderer prevents it.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { ChartPart, WireRow } from '../../../kernel/protocol/displays.ts';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';
import { type DemoServer, serveDemo } from '../renderer/demo-server.ts';
import { ScriptedView, start } from '../renderer/scripted-session.ts';
import { Webview } from '../renderer/webview.ts';

type Json = Readonly<Record<string, unknown>>;
const image = 'data:image/gif;base64,R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==';
const x = { field: 't', type: 'quantitative', axis: null };
const y = { field: 'v', type: 'quantitative', axis: null };

/** A chart of rows whose field `u` has these values. */
function partOf(spec: Json, values: readonly string[]): ChartPart {
  const rows = values.map((u, index): WireRow => ({
    n: index + 1,
    t: start,
    value: { t: index, v: index, u, k: 'a' },
  }));
  const caption = { pieces: [], waiting: false };
  const { length: total } = rows;
  return { kind: 'chart', id: 'c', title: 'chart', spec, rows, limit: 100, rate: 1, sampled: 1, total, caption };
}

describe('the addresses in a chart', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  let demo: DemoServer;
  let outside: Server;
  let address = '';
  const fetched: string[] = [];
  beforeAll(async () => {
    outside = createServer((request, response) => {
      fetched.push(request.url ?? '');
      response.setHeader('access-control-allow-origin', '*').end('[]');
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
    [demo, browser] = await Promise.all([serveDemo(start, { ticks: false }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await demo.close();
    outside.close();
  });

  /** Draws rows whose field `u` has these values, moves over each mark and clicks it. */
  async function drawn(spec: Json, values: readonly string[]): Promise<readonly string[]> {
    const webview = await Webview.open(browser, demo.address);
    const { page } = webview;
    const opened: string[] = [];
    page.context().on('page', (other) => opened.push(`opened ${other.url()}`));
    page.on('framenavigated', (frame) => opened.push(`went to ${frame.url()}`));
    await webview.show(new ScriptedView('c', [partOf(spec, values)]));
    await page.waitForTimeout(300);
    for (const mark of await page.locator('.sl-plot svg .role-mark > *').all()) {
      await mark.hover({ force: true, timeout: 1000 }).catch(() => undefined);
      await mark.click({ force: true, timeout: 1000 }).catch(() => undefined);
    }
    await page.waitForTimeout(300);
    const images = await page
      .locator('.sl-plot image')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('xlink:href') ?? node.getAttribute('href') ?? ''));
    await page.close();
    return [...opened, ...images];
  }
  const nothingFetched = (): void => assert.deepEqual(fetched, []);

  test('a click on a mark goes nowhere', async () => {
    const links = [
      `${address}/link`,
      'javascript:document.title = 1',
      'command:workbench.action.quit',
      `data:text/html,x`,
    ];
    const mark = { type: 'point', size: 900, filled: true };
    assert.deepEqual(await drawn({ mark, encoding: { x, y, href: { field: 'u' } } }, links), []);
    assert.deepEqual(await drawn({ mark: { ...mark, href: `${address}/mark` }, encoding: { x, y } }, links), []);
    nothingFetched();
  });

  test('an image mark shows images in the row and no other', async () => {
    const mark = { type: 'image', width: 20, height: 20 };
    const urls = [`${address}/image.png`, 'image.png', '', 'data:text/html,x', image];
    const images = await drawn({ mark, encoding: { x, y, url: { field: 'u' } } }, urls);
    assert.equal(images.length, 5);
    assert.ok(
      images.every((shown) => shown.startsWith('data:image/gif')),
      images.join(),
    );
    assert.equal(images.filter((shown) => shown === image).length, 1);
    nothingFetched();
  });

  test('no colour, pointer, data set or lookup is fetched', async () => {
    const mark = { type: 'point', size: 900, filled: true };
    const urls = [
      `url(${address}/colour.svg#a)`,
      `url("${address}/other.svg#a") red`,
      `\\75rl(${address}/hidden.svg#a)`,
    ];
    await drawn(
      { mark, encoding: { x, y, fill: { field: 'u', scale: null }, stroke: { field: 'u', scale: null } } },
      urls,
    );
    await drawn({ mark: { ...mark, cursor: `url(${address}/mark.cur), auto` }, encoding: { x, y } }, urls);
    await drawn({ mark, config: { mark: { cursor: `url(${address}/config.cur), auto` } }, encoding: { x, y } }, urls);
    await drawn(
      { mark, params: [{ name: 'cursor', value: `url(${address}/signal.cur), auto` }], encoding: { x, y } },
      urls,
    );
    await drawn({ mark, background: `url(${address}/background.png)`, encoding: { x, y } }, urls);
    await drawn({ data: { url: `${address}/data.json` }, mark, encoding: { x, y } }, urls);
    await drawn({ layer: [{ data: { url: `${address}/layer.json` }, mark, encoding: { x, y } }] }, urls);
    await drawn(
      { data: { url: `${address}/map.json`, format: { type: 'topojson', feature: 'a' } }, mark: 'geoshape' },
      urls,
    );
    const from = { data: { url: `${address}/lookup.json` }, key: 'k', fields: ['z'] };
    await drawn({ transform: [{ lookup: 'k', from }], mark, encoding: { x, y } }, urls);
    await drawn({ mark, encoding: { x, y, color: { field: 'u', scale: { range: urls } } } }, urls);
    nothingFetched();
  });

  test('other colours of rows are drawn', async () => {
    const spec = { mark: 'point', encoding: { x, y, fill: { field: 'u', scale: null } } };
    const webview = await Webview.open(browser, demo.address);
    await webview.show(new ScriptedView('c', [partOf(spec, ['red', '#00ff00', 'rgb(0, 0, 255)'])]));
    const fills = await webview.page
      .locator('.sl-plot svg .mark-symbol path')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('fill')));
    assert.deepEqual(fills, ['red', '#00ff00', 'rgb(0, 0, 255)']);
    await webview.close();
  });
});
