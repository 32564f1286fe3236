// `npm run bench -- page`: what the served page costs, with a real kernel and a real browser. Run
// `npm run build` first. Prints each figure with its goal; a goal that is missed is no error.
//
//     npm run bench -- page --minutes 1      memory over one minute, not ten
//     npm run bench -- page --seconds 30     CPU over 30 s, not 20; --charts 5; --mark point
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundleRenderer } from '../../../.ci/build/bundle-renderer.ts';
import { browserPath, openBrowser } from '../renderer/browser.ts';
import { firstRows } from './first-rows.ts';
import { chartsPage, type ChartsPage } from './charts-page.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
    charts: { type: 'string', default: '20' },
    mark: { type: 'string', default: 'line' },
    rounds: { type: 'string', default: '7' },
    profile: { type: 'string', default: '' },
  },
});
const positive = (name: keyof typeof values): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} is a whole number above 0, not "${values[name]}".`);
};
const settings = {
  minutes: positive('minutes'),
  seconds: positive('seconds'),
  charts: positive('charts'),
  rounds: positive('rounds'),
};
const kernelPath = join(import.meta.dirname, '../../../dist/kernel.cjs');
if (browserPath === undefined) throw new Error('There is no Chromium here. Install it, or set CHROMIUM to its path.');
if (!existsSync(kernelPath)) throw new Error('There is no dist/kernel.cjs. Run npm run build.');

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-bench-')));
process.env['SLUICE_SESSIONS'] = folder;
const browser = await openBrowser();
try {
  await bundleRenderer(folder);
  const place = { folder, kernelPath, browser };
  const times = await firstRows({ ...place, rounds: settings.rounds });
  console.log(`medians of ${String(settings.rounds)}, all times in ms:`);
  print('kernel start', times.start, 500);
  print('first row on screen, first Run of a session', times.first, 300);
  print('first row on screen, a later Run', times.later, 300);
  print('first windowed chart of sample 01, until it moves', times.windows, 2_000);
  const page = await chartsPage({ ...place, charts: settings.charts, mark: values.mark });
  try {
    await measureDrawing(page);
    await measureMemory(page);
  } finally {
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

function print(what: string, all: readonly number[], goal: number): void {
  const middle = median(all);
  const verdict = middle <= goal ? 'reached' : 'NOT reached';
  const sorted = all.toSorted((a, b) => a - b);
  console.log(
    `  ${what}: ${middle.toFixed(0)} (${sorted.map((n) => n.toFixed(0)).join(', ')}); goal ${goal}: ${verdict}`,
  );
}
function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!;
}

async function measureDrawing(page: ChartsPage): Promise<void> {
  const { seconds, charts } = settings;
  await page.filled();
  const profile = values.profile === '' ? undefined : await page.profile(values.profile);
  const before = await page.counts();
  await sleep(seconds * 1_000);
  const after = await page.counts();
  await profile?.();
  const per = (what: keyof typeof after, by = (after.at - before.at) / 1_000): number =>
    (after[what] - before[what]) / by;
  const cores = per('cpuSeconds');
  console.log(`${String(charts)} charts (${values.mark}) of ${String(await page.rows())} rows, ${String(seconds)} s:`);
  const verdict = cores <= 0.5 ? 'reached' : 'NOT reached';
  console.log(`  CPU of the renderer: ${cores.toFixed(2)} cores; goal 0.5: ${verdict}`);
  console.log(
    `  of it JavaScript and layout: ${per('taskSeconds').toFixed(2)}; other processes of the browser: ${per('otherCpuSeconds').toFixed(2)}`,
  );
  console.log(
    `  frames from the kernel: ${(per('messages') / charts).toFixed(1)} a second and chart, ${(per('bytes') / 1_000).toFixed(0)} kB/s in all`,
  );
  console.log(
    `  pictures: ${(per('pictures') / charts).toFixed(1)} a second and chart, ${((cores * 1_000) / per('pictures')).toFixed(1)} ms of CPU each`,
  );
}

async function measureMemory(page: ChartsPage): Promise<void> {
  const looks: { readonly heap: number; readonly resident: number }[] = [await page.memory()];
  const { minutes } = settings;
  const stepMillis = minutes >= 2 ? 60_000 : 15_000;
  for (let look = 1; look * stepMillis <= minutes * 60_000; look++) {
    await sleep(stepMillis);
    looks.push(await page.memory());
  }
  const mega = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  console.log(`memory of the page over ${String(minutes)} min, in MB, every ${String(stepMillis / 1_000)} s:`);
  for (const what of ['heap', 'resident'] as const) {
    const all = looks.map((look) => look[what]);
    // The first look is for caches. One look goes up and down by a fifth: garbage that Vega sweeps
    // every few pictures is in it or not. So the medians of the first and the last looks count.
    const [, ...later] = all;
    const some = Math.min(3, later.length);
    const growth = (median(later.slice(-some)) / median(later.slice(0, some)) - 1) * 100;
    const verdict = growth <= 10 ? 'reached' : 'NOT reached';
    console.log(
      `  ${what}: ${all.map(mega).join(', ')}; grew by ${growth.toFixed(1)} % after the first; goal 10 %: ${verdict}`,
    );
  }
}
