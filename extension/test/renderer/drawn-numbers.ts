// What is drawn of rows with the fields `n` and `v`: in a table, and as points of a chart.
import type { Locator } from 'playwright-core';

const longestMillis = 120_000;

/**
 * The values of the column `n`, in ascending order, as soon as there are so many. A table draws
 * only the lines that are in sight.
 */
export async function numbersInTable(cell: Locator, atLeast: number): Promise<readonly number[]> {
  const table = cell.locator('.sl-table').first();
  const end = Date.now() + longestMillis;
  for (;;) {
    const numbers = await table.evaluate(async (node) => {
      const scroller = node.querySelector('.sl-table-scroller')!;
      const found = new Set<number>();
      const step = Math.max(1, scroller.clientHeight / 2);
      for (let top = 0; ; top += step) {
        scroller.scrollTop = top;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const names = [...node.querySelectorAll('thead th')].map(({ textContent }) => textContent.trim());
        const column = names.indexOf('n');
        for (const line of node.querySelectorAll('tbody tr')) {
          const text = line.children[column]?.textContent.trim() ?? '';
          if (/^\d+$/.test(text)) found.add(Number(text));
        }
        if (top > scroller.scrollHeight) return [...found];
      }
    });
    if (numbers.length >= atLeast || Date.now() > end) return numbers.toSorted((a, b) => a - b);
    await cell.page().waitForTimeout(100);
  }
}

/** The `n` of the points that have a number, as soon as the picture is there. */
export async function chartNumbers(cell: Locator): Promise<readonly number[]> {
  const plot = cell.locator('.sl-plot').first();
  await plot.locator('svg .mark-symbol path').first().waitFor({ timeout: longestMillis });
  return plot.evaluate((node) => {
    const { vegaView } = node as unknown as { vegaView?: { data(name: string): { n?: unknown; v?: unknown }[] } };
    const drawn = (vegaView?.data('rows') ?? []).filter(({ v }) => typeof v === 'number' && Number.isFinite(v));
    return drawn.map(({ n }) => Number(n)).sort((a, b) => a - b);
  });
}
