// The displays of a cell on the served page of a real session, in a real browser: all of them, in
// order, one below the other.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { bundleRenderer } from '../../../.ci/build/bundle-renderer.ts';
import { servePage } from '../../../kernel/server/serve-page.ts';
import { code, Kernels } from '../../../kernel/test/server/kernels.ts';
import { openBrowser, skipWithoutBrowser } from '../renderer/browser.ts';

const cell = `import { from, view } from 'sluice';
const one = from([{ a: 1, at: 5 }]);
for (const k of ['x', 'y']) one.map((r) => ({ k, a: r.a })).show();
view(one.chart({ mark: 'bar', x: 'at', y: 'a' }), one);
1 + 1;`;

describe('the displays of a cell', { skip: skipWithoutBrowser() }, () => {
  test('stand on the served page one below the other, with the value of the last expression', async (t) => {
    const kernels = new Kernels(t);
    await bundleRenderer(kernels.folder);
    const connection = await kernels.connect(kernels.notebook());
    await connection.request('sync', { cells: code({ a: cell }) });
    await connection.request('run', { cells: ['a'] });
    const { socket, token } = connection.entry;
    const server = await servePage({ port: 0, folder: join(kernels.folder, 'page'), socket, token });
    t.onTestFinished(() => server.close());
    const browser = await openBrowser();
    t.onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForSelector('#cell-a .sl-plot svg .mark-rect path');
    const view = page.locator('#cell-a .sluice');
    for (const k of ['x', 'y']) await view.getByText(k, { exact: true }).first().waitFor();
    const parts = await view.locator('> *').all();
    const texts = await Promise.all(parts.map((part) => part.innerText()));
    const tops = await Promise.all(parts.map(async (part) => (await part.boundingBox())!.y));
    assert.deepEqual(
      tops,
      tops.toSorted((a, b) => a - b),
    );
    const titles = await view.locator('.sl-title').allInnerTexts();
    assert.deepEqual(titles, ['map#1', 'map#2', 'a', 'one']);
    assert.equal(texts.length, 5);
    assert.match(texts[0]!, /x/);
    assert.match(texts[1]!, /y/);
    assert.match(texts[4]!, /^2$/);
  });
});
