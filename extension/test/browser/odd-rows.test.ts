// Rows that are hard to draw, on the served page of a real session: each spoils only itself.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { bundleRenderer } from '../../../.ci/build/bundle-renderer.ts';
import { servePage } from '../../../kernel/server/serve-page.ts';
import { leftOut, oddCells, shownNumbers } from '../../../kernel/test/displays/odd-rows.ts';
import { code, Kernels } from '../../../kernel/test/server/kernels.ts';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';
import { chartNumbers, numbersInTable } from '../renderer/drawn-numbers.ts';

describe('rows that are hard to draw', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('the table has all others, the chart its points, and the next cell its rows', async (t) => {
    const kernels = new Kernels(t);
    await bundleRenderer(kernels.folder);
    const connection = await kernels.connect(kernels.notebook());
    await connection.request('sync', { cells: code(oddCells) });
    for (const { cell, ok, error } of await connection.request('run', { cells: Object.keys(oddCells) }))
      assert.ok(ok, `${cell}: ${error?.message}`);
    const { socket, token } = connection.entry;
    const server = await servePage({ port: 0, folder: join(kernels.folder, 'page'), socket, token });
    t.onTestFinished(() => server.close());
    const page: Page = await browser.newPage({ viewport: { width: 1200, height: 2600 } });
    t.onTestFinished(() => page.close());
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.goto(server.url);
    const cell = (id: string) => page.locator(`#cell-${id}`);
    await cell('good').locator('tbody').getByText('last', { exact: true }).waitFor();
    assert.deepEqual(await numbersInTable(cell('table'), shownNumbers.length), shownNumbers);
    assert.deepEqual(await chartNumbers(cell('chart')), [1, 10, 12]);
    assert.match(await cell('table').locator('.sl-error').first().innerText(), leftOut);
    assert.equal(await page.locator('.sl-table img, .sl-plot img').count(), 0);
    assert.deepEqual(errors, []);
  });
});
