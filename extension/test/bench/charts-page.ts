// A page of many live charts, and what it costs: CPU of its process, messages, pictures, memory.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchPlace, type ServedSession, servedSession } from './served-session.ts';

export interface Counts {
  readonly at: number;
  readonly cpuSeconds: number;
  /** Of the page's main thread. */
  readonly taskSeconds: number;
  readonly otherCpuSeconds: number;
  /** Of views, from the kernel. */
  readonly messages: number;
  readonly bytes: number;
  readonly pictures: number;
}
export interface ChartsPage {
  /** Each chart has all its rows. */
  filled(): Promise<void>;
  rows(): Promise<number>;
  counts(): Promise<Counts>;
  /** After a collection of garbage. */
  memory(): Promise<{ readonly heap: number; readonly resident: number }>;
  /** Begins a CPU profile. The answer ends it and writes it to the file. */
  profile(file: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const keptRows = 2_000;
const rowsPerSecond = 100;
const source = `import { generate } from 'sluice';
const names = ['ann', 'bob', 'li', 'zoe'];
const ticks = generate({ rate: ${String(rowsPerSecond)}, timestamp: 'at' }, ({ n, now, random }) => ({ at: now, who: names[n % 4]!, v: 100 * (n % 4) + 40 * random() }));`;

export async function chartsPage(
  place: BenchPlace & { readonly charts: number; readonly mark: string },
): Promise<ChartsPage> {
  const session = await servedSession(place, 'charts');
  try {
    return await openCharts(session, place);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function openCharts(
  session: ServedSession,
  place: BenchPlace & { readonly charts: number; readonly mark: string },
): Promise<ChartsPage> {
  const ids = Array.from({ length: place.charts }, (_, index) => `chart${String(index + 1)}`);
  const chart = `ticks.chart({ mark: '${place.mark}', x: 'at', y: 'v', color: 'who', last: ${String(keptRows)} });`;
  await session.connection.request('sync', {
    cells: [{ id: 'ticks', text: source }, ...ids.map((id) => ({ id, text: chart }))].map((cell) => ({
      ...cell,
      kind: 'code' as const,
    })),
  });
  const results = await session.connection.request('run', { cells: ['ticks', ...ids] });
  const failed = results.find(({ ok }) => !ok);
  if (failed !== undefined) throw new Error(`${failed.cell}: ${failed.error?.message ?? 'it failed'}`);

  // All charts are in sight.
  const page = await place.browser.newPage({ viewport: { width: 1_200, height: 400 + place.charts * 320 } });
  const traffic = { messages: 0, bytes: 0 };
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      traffic.bytes += payload.length;
      if (String(payload.slice(0, 60)).includes('"method":"view"')) traffic.messages++;
    }),
  );
  await page.goto(session.url);
  await page.waitForFunction((count) => document.querySelectorAll('.sl-plot svg').length === count, place.charts);
  // Only the bench looks inside: it counts the pictures of each chart.
  await page.evaluate(() => {
    const counted = globalThis as unknown as { pictures: number };
    counted.pictures = 0;
    for (const plot of document.querySelectorAll('.sl-plot')) {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        requestAnimationFrame(() => {
          counted.pictures++;
          watch();
        });
      });
      const watch = (): void =>
        observer.observe(plot.querySelector('svg')!, { subtree: true, attributes: true, childList: true });
      watch();
    }
  });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const whole = await place.browser.newBrowserCDPSession();

  const metric = async (name: string): Promise<number> =>
    (await cdp.send('Performance.getMetrics')).metrics.find((one) => one.name === name)!.value;
  /** The process of this page is the one with the most CPU time: no other page draws. */
  const processes = async (): Promise<{ readonly pid: number; readonly mine: number; readonly others: number }> => {
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    const mine = processInfo.filter(({ type }) => type === 'renderer').toSorted((a, b) => b.cpuTime - a.cpuTime)[0]!;
    const all = processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    return { pid: mine.id, mine: mine.cpuTime, others: all - mine.cpuTime };
  };
  const rows = (): Promise<number> =>
    page.evaluate(() =>
      Math.min(...[...document.querySelectorAll('.sl-plot')].map((plot) => plot.vegaView!.data('rows').length)),
    );
  return {
    rows,
    async filled() {
      while ((await rows()) < keptRows) await sleep(500);
    },
    async counts() {
      const { mine, others } = await processes();
      const pictures = await page.evaluate(() => (globalThis as unknown as { pictures: number }).pictures);
      const taskSeconds = await metric('TaskDuration');
      return { at: performance.now(), cpuSeconds: mine, otherCpuSeconds: others, taskSeconds, pictures, ...traffic };
    },
    async memory() {
      await cdp.send('HeapProfiler.collectGarbage');
      const { pid } = await processes();
      const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
      return { heap: await metric('JSHeapUsedSize'), resident: Number(kilobytes) * 1_024 };
    },
    async profile(file) {
      await cdp.send('Profiler.enable');
      await cdp.send('Profiler.start');
      return async () => {
        const { profile } = await cdp.send('Profiler.stop');
        writeFileSync(file, JSON.stringify(profile));
      };
    },
    async close() {
      await page.close();
      await session.close();
    },
  };
}
