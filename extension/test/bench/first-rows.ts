// How long a kernel takes to start, a row from Run to the screen, and the first windowed chart of
// sample 01 until it moves.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { parseNotebook } from '../../../kernel/protocol/notebook-file.ts';
import { type BenchPlace, type ServedSession, servedSession } from './served-session.ts';

export interface FirstRows {
  readonly start: readonly number[];
  /** The kernel has run nothing before. */
  readonly first: readonly number[];
  readonly later: readonly number[];
  /** From Run of the second cell of sample 01 until its bars have changed once. */
  readonly windows: readonly number[];
}

const texts = {
  first: `import { generate } from 'sluice';
const first = generate({ rate: 100 }, ({ n, now }) => ({ n, at: now }));
first.show();`,
  later: 'generate({ rate: 100 }, ({ n, now }) => ({ n, at: now })).show();',
} as const;
const cells = ['first', 'later'] as const;
const samples = join(import.meta.dirname, '../../../samples');

export async function firstRows(place: BenchPlace & { readonly rounds: number }): Promise<FirstRows> {
  cpSync(join(samples, 'data'), join(place.folder, 'data'), { recursive: true });
  const times: Record<keyof FirstRows, number[]> = { start: [], first: [], later: [], windows: [] };
  for (let round = 0; round < place.rounds; round++) {
    const session = await servedSession(place, `first-${String(round)}`);
    const page = await place.browser.newPage();
    try {
      times.start.push(session.startMillis);
      await page.goto(session.url);
      await page.waitForSelector('.sl-link-live');
      await session.connection.request('sync', {
        cells: cells.map((id) => ({ id, kind: 'code' as const, text: texts[id] })),
      });
      for (const id of cells) times[id].push(await fromRunToRow(session, page, id));
    } finally {
      await page.close();
      await session.close();
    }
    times.windows.push(await fromRunToWindows(place, `windows-${String(round)}`));
  }
  return times;
}

/** The first cell of sample 01 is live and drawn when the second one is run. */
async function fromRunToWindows(place: BenchPlace, name: string): Promise<number> {
  const session = await servedSession(place, name);
  const page = await place.browser.newPage();
  try {
    await page.goto(session.url);
    await page.waitForSelector('.sl-link-live');
    const cells = parseNotebook(readFileSync(join(samples, '01-first-chart.sluice.ts'), 'utf8'));
    await session.connection.request('sync', {
      cells: cells.flatMap(({ id, kind, text }) => (id === undefined ? [] : [{ id, kind, text }])),
    });
    await run(session, 'quakes');
    await bars(page, 'quakes', '[]');
    const begin = Date.now();
    await run(session, 'counts');
    const first = await bars(page, 'counts', '[]');
    await bars(page, 'counts', first);
    return Date.now() - begin;
  } finally {
    await page.close();
    await session.close();
  }
}

/** The rows of a cell's chart, as soon as they are painted and are not those. */
async function bars(page: Page, id: string, those: string): Promise<string> {
  const changed = await page.waitForFunction(
    ([cell, before]) => {
      const plot = document.querySelector(`#cell-${cell!} .sl-plot`) as {
        vegaView?: { data(of: 'rows'): unknown[] };
      } | null;
      const rows = JSON.stringify(plot?.vegaView?.data('rows') ?? []);
      return rows !== before && rows;
    },
    [id, those],
  );
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return (await changed.jsonValue()) as string;
}

async function fromRunToRow(session: ServedSession, page: Page, id: string): Promise<number> {
  await page.waitForSelector(`#cell-${id}`, { state: 'attached' });
  const seen = page.evaluate(
    (cell) =>
      new Promise<number>((resolve) => {
        const box = document.querySelector(`#cell-${cell}`)!;
        const observer = new MutationObserver(() => {
          if ((box.querySelector('.sl-table tbody td')?.textContent ?? '') === '') return;
          observer.disconnect();
          // The picture with the row is painted before the second callback.
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
        });
        observer.observe(box, { subtree: true, childList: true, characterData: true });
      }),
    id,
  );
  const begin = Date.now();
  seen.catch(() => undefined);
  await run(session, id);
  return (await seen) - begin;
}

async function run({ connection }: ServedSession, id: string): Promise<void> {
  const [result] = await connection.request('run', { cells: [id] });
  if (result?.ok !== true) throw new Error(`${id}: ${result?.error?.message ?? 'it failed'}`);
}
