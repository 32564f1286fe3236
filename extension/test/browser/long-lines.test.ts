// A long line is painted in pieces that look like the whole line, and its path stays while rows
// leave.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { WireRow } from '../../../kernel/protocol/displays.ts';
import { rows, ScriptedView, seeded, start, take, totalsPart } from '../renderer/scripted-session.ts';
import { describeWebview, type Webview } from '../renderer/webview.ts';

function* points(random = seeded(9)): Generator<WireRow, never> {
  for (let n = 1; ; n++) {
    const t = start + n * 1_000;
    yield { n, t, value: { customer: 'ann', windowEnd: { $date: t }, total: Math.round(random() * 1_000) } };
  }
}
/** The layers of a line are its dashes, the line itself, and points. */
const line = '.sl-plot .mark-line path';

async function longLine(webview: Webview) {
  const stream = points();
  const view = new ScriptedView('totals', [{ ...totalsPart([], start), limit: 400, lastMillis: undefined }]);
  await webview.show(view);
  await webview.receive(rows(view, 'totals', take(stream, 400)));
  // The legend takes its place, and the chart is fitted to the rest.
  await webview.page.waitForFunction(() => {
    const plot = document.querySelector('.sl-plot')!;
    return plot.querySelector('svg')!.clientWidth === plot.clientWidth;
  });
  await webview.settle();
  return { view, stream };
}
const countPaths = (webview: Webview): Promise<number> => webview.page.locator(line).count();

/**
 * Two pieces overlap in a joint, so its edge is a trace stronger in some pixels, each of 4 levels.
 */
const levelsOfJoint = 16;

/** Levels of colour in two pictures that differ by more than a trace. */
async function differing(webview: Webview, pictures: readonly Buffer[]): Promise<number> {
  return webview.page.evaluate(
    async (all) => {
      const pixels = await Promise.all(
        all.map(async (base64) => {
          const image = new Image();
          image.src = `data:image/png;base64,${base64}`;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height);
          const context = canvas.getContext('2d')!;
          context.drawImage(image, 0, 0);
          return context.getImageData(0, 0, image.width, image.height).data;
        }),
      );
      const [one, other] = pixels as [Uint8ClampedArray, Uint8ClampedArray];
      return one.reduce((count, level, index) => count + (Math.abs(level - other[index]!) > 32 ? 1 : 0), 0);
    },
    pictures.map((picture) => picture.toString('base64')),
  );
}

describeWebview('a long line', (withWebview) => {
  test('looks the same in pieces as in one path', () =>
    withWebview(async (webview) => {
      await longLine(webview);
      assert.equal(await countPaths(webview), 9);
      const plot = webview.page.locator('.sl-plot');
      const inPieces = await plot.screenshot();
      await webview.page.evaluate((selector) => {
        const [first, ...others] = document.querySelectorAll<SVGPathElement & { __values__: { d: string } }>(selector);
        first!.setAttribute('d', first!.__values__.d);
        for (const other of others) other.remove();
      }, line);
      const whole = await plot.screenshot();
      const most = 8 * levelsOfJoint;
      const differs = await differing(webview, [inPieces, whole]);
      assert.ok(differs <= most, String(differs));
      // The comparison finds a line that lacks a piece.
      await webview.page.evaluate((selector) => {
        const path = document.querySelector(selector)!;
        path.setAttribute('d', path.getAttribute('d')!.split('L').slice(0, -48).join('L'));
      }, line);
      assert.ok((await differing(webview, [inPieces, await plot.screenshot()])) > 4 * most);
    }));

  test('keeps its paths while its first rows leave, and loses pieces that it no longer needs', () =>
    withWebview(async (webview) => {
      const { view, stream } = await longLine(webview);
      await webview.page.evaluate(
        (selector) => void (window.kept = { paths: [...document.querySelectorAll(selector)] }),
        line,
      );
      await webview.receive(rows(view, 'totals', take(stream, 30)));
      const isSame = await webview.page.evaluate(
        (selector) =>
          [...document.querySelectorAll(selector)].map(
            (path, index) => path === (window.kept['paths'] as Element[])[index],
          ),
        line,
      );
      assert.deepEqual(
        isSame,
        Array.from({ length: 9 }, () => true),
      );
      const drawn = await webview.page.evaluate(
        (selector) =>
          [...document.querySelectorAll(selector)].map((path) => path.getAttribute('d')!.split('L').length - 1),
        line,
      );
      assert.equal(
        drawn.reduce((sum, parts) => sum + parts),
        399,
      );
      const few = { ...totalsPart(take(points(), 20), start), limit: 400, lastMillis: undefined };
      await webview.receive({ type: 'view', message: view.change({ kind: 'put', part: few, at: 0 }) });
      assert.equal(await countPaths(webview), 1);
    }));
});
