// The shipped engine gives the same results as its sources. Some of its loops are compiled again
// from their own text, which a bundler rewrites.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { test } from 'vitest';
import { shipped } from '../../../.ci/build/bundles.ts';
import * as sources from '../../../engine/index.ts';

type Engine = typeof sources;

/**
 * Everything with a generated loop: sources, rolling and windowed aggregates, overlapping windows,
 * windows that keep their elements.
 */
async function rowsOf({ Environment, count, sliding, sum, tumbling }: Engine): Promise<Record<string, string[]>> {
  const environment = new Environment();
  const time = { timestamp: 'at', watermark: { outOfOrderness: '2s' } } as const;
  const elements = Array.from({ length: 500 }, (_, n) => ({ n, who: `w${n % 5}`, at: n * 100 + ((n * 7) % 5) * 200 }));
  const made = environment.generate({ limit: 500, ...time }, ({ n }) => ({ n, who: `w${n % 3}`, at: n * 50 }));
  const given = environment.from(elements, time).filter(({ n }) => n % 7 !== 0);
  const streams = {
    made,
    given: given.map(({ n }) => ({ n })),
    rolling: made.keyBy('who').aggregate({ n: count(), total: sum('n') }),
    tumbling: given
      .keyBy('who')
      .window(tumbling('10s'))
      .aggregate({ n: count(), total: sum('n') }),
    sliding: made.union(given).keyBy('who').window(sliding('8s', '2s')).aggregate({ n: count() }),
    all: given.windowAll(sliding('9s', '4s')).aggregate({ n: count() }),
    reduced: made
      .keyBy('who')
      .window(tumbling('5s'))
      .reduce((a, b) => ({ ...a, n: a.n + b.n })),
  };
  const rows: Record<string, string[]> = {};
  for (const [name, stream] of Object.entries(streams)) {
    const seen: string[] = (rows[name] = []);
    (stream as { sink(write: (row: unknown) => void): void }).sink((row) => void seen.push(JSON.stringify(row)));
  }
  const job = await environment.execute();
  await job.finished;
  return Object.fromEntries(Object.entries(rows).map(([name, seen]) => [name, seen.toSorted()]));
}

test('the bundled engine gives the rows that its sources give', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-shipped-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'engine.mjs');
  const banner =
    "import { createRequire as newRequire } from 'node:module';\nconst require = newRequire(import.meta.url);";
  await build({
    ...shipped,
    ...{ entryPoints: [join(import.meta.dirname, '../../../engine/index.ts')], outfile, bundle: true },
    ...{ format: 'esm', platform: 'node', target: 'node22', banner: { js: banner }, logLevel: 'warning' },
  });
  const expected = await rowsOf(sources);
  for (const [name, rows] of Object.entries(expected)) assert.ok(rows.length > 10, `${name}: ${rows.length} rows`);
  assert.deepEqual(await rowsOf((await import(pathToFileURL(outfile).href)) as Engine), expected);
});
