// A notebook that is open for days holds no more than one that is open for a minute: what leaves a
// display leaves the memory of the page.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PartChange, WireRow } from '../../../kernel/protocol/displays.ts';
import { type Retained, retained } from '../renderer/retained.ts';
import {
  backpressurePart,
  logPart,
  operators,
  ordersPart,
  ScriptedView,
  silentCaption,
  start,
  totalsPart,
} from '../renderer/scripted-session.ts';
import { describeWebview, type Webview } from '../renderer/webview.ts';

const seconds = 1_000;
/** Rows, times, ticks, series, keys, operators and lines: each frame brings others. */
const framesOfPicture = 20;
const picturesOfRound = 32;
const keptSeconds = 60;
/** Growth from round to round: the last pictures of two rounds have not the same ticks. */
const mostNodes = 60;
const mostObjects = 1_000;
const names = { data: { name: 'rows' }, mark: 'bar' } as const;

function liveView(): ScriptedView {
  const part = { ...totalsPart([], start), limit: 200, lastMillis: keptSeconds * seconds };
  const encoding = { x: { field: 'name', type: 'nominal' }, y: { field: 'total', type: 'quantitative' } };
  return new ScriptedView('live', [
    part,
    { ...part, id: 'bars', spec: { ...names, encoding } },
    { ...ordersPart([]), limit: 100 },
    backpressurePart(),
    // As many lines as the display keeps.
    logPart(start, 1_000),
  ]);
}

/** One frame of all displays. */
function* frames(): Generator<readonly PartChange[], never> {
  const figures = { rate: 1, sampled: 1, caption: silentCaption(start) };
  for (let frame = 1; ; frame++) {
    const t = start + frame * 7 * seconds;
    const name = `n${String(frame)}`;
    const fresh: WireRow[] = ['ann', 'bob', name].map((customer, index) => ({
      n: frame * 3 + index,
      key: `${customer} ${String(frame)}`,
      t,
      value: { customer, name, windowEnd: { $date: t }, total: 100 * index + (frame % 50) },
    }));
    const rows = ['totals', 'bars', 'orders'].map(
      (id) => ({ kind: 'rows', id, rows: fresh, total: frame * 3, ...figures }) as const,
    );
    const others = operators().map((row) => ({ ...row, id: `${row.id} ${name}`, cell: `${row.cell} ${name}` }));
    const points = Object.fromEntries(others.map(({ id }) => [id, 0.5]));
    yield [
      ...rows,
      { kind: 'backpressure', id: 'pressure', operators: others, points, thread: 0.5 },
      { kind: 'lines', id: 'log', lines: [{ n: 1_000 + frame, level: 'log', at: t, text: name }], dropped: 0 },
    ];
  }
}

/** What the page holds after one round of pictures, and after two. */
async function twoRounds(webview: Webview): Promise<readonly [once: Retained, twice: Retained]> {
  const view = liveView();
  await webview.show(view);
  const script = frames();
  const round = async (): Promise<Retained> => {
    for (let picture = 0; picture < picturesOfRound; picture++) {
      // One message, so that each chart has one change and the rounds end at the same sweep. Of
      // several messages, one or two changes are made, as the pace of drawing allows.
      const changes = Array.from({ length: framesOfPicture }, () => script.next().value).flat();
      await webview.receive({ type: 'view', message: view.change(...changes) });
    }
    return retained(webview.page);
  };
  return [await round(), await round()];
}

describeWebview('what a page holds', (withWebview) => {
  test('after twice as many frames it holds as many nodes and objects', () =>
    withWebview(async (webview) => {
      const [once, twice] = await twoRounds(webview);
      const text = `${JSON.stringify(once)}, and then ${JSON.stringify(twice)}`;
      assert.ok(twice.nodes - once.nodes <= mostNodes, text);
      assert.ok(twice.objects - once.objects <= mostObjects, text);
    }));

  test('this finds a page that keeps removed nodes', () =>
    withWebview(async (webview) => {
      await webview.page.evaluate(() => {
        const kept: Node[] = [];
        Object.assign(window, { kept });
        new MutationObserver((changes) =>
          kept.push(...changes.flatMap(({ removedNodes }) => [...removedNodes])),
        ).observe(document.body, { childList: true, subtree: true });
      });
      const [once, twice] = await twoRounds(webview);
      assert.ok(
        twice.nodes - once.nodes > 10 * mostNodes,
        `${JSON.stringify(once)}, and then ${JSON.stringify(twice)}`,
      );
    }));
});
