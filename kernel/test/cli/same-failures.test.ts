// Failures of `sluice run` over bounded sources: ten runs print the same errors and the same rows,
// also the rows that operators gave before they failed, and those of the operators below them. How
// many windows have closed there is not compared: it depends on the pace, because sources forward
// time by the clock.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { Folder, sluice } from './sluice.ts';

const runs = 10;
const cells = {
  file: `import { count, file, from, generate, sum, tumbling } from 'sluice';
const readings = file<{ n: number; k: number; at: number }>('readings.jsonl', { timestamp: 'at' });`,
  made: "const made = generate({ limit: 3000, timestamp: 'at' }, ({ n }) => ({ n, k: n % 3, at: n * 1000 }));",
  // The two that fail, in the middle of their inputs.
  prices:
    'const prices = readings.map((r) => { if (r.n === 777) throw new Error(`no price of ${r.n}`); return { ...r, price: r.n * 2 }; });',
  totals:
    "const totals = made.keyBy('k').aggregate({ s: sum((r) => (r.n === 1234 ? ('x' as never) : r.n)) });\ntotals.show();",
  // Below them.
  pairs: "prices.keyBy('k').pairwise().map(([a, b]) => [a.n, b.n]).show();",
  table: "prices.keyBy('k').toTable().groupBy((r) => r.n % 2).aggregate({ c: count() }).show();",
  rolling: "prices.keyBy('k').aggregate({ c: count() }).show();",
  slowly:
    'prices.mapAsync(async (r) => { await new Promise((done) => setImmediate(done)); return r.n; }, { capacity: 3 }).show();',
  written: "prices.map(({ n, price }) => ({ n, price })).toFile('out.jsonl');",
  // Beside them.
  healthy: "readings.keyBy('k').window(tumbling('30s')).aggregate({ c: count() }).show();",
  all: 'made.map((r) => r.n).show();',
};

test('ten runs with two failing cells have the same errors and the same rows', { timeout: 1_200_000 }, async (t) => {
  const folder = new Folder(t);
  const readings = Array.from({ length: 2000 }, (_, n) => JSON.stringify({ n, k: n % 4, at: n * 500 }));
  folder.write('readings.jsonl', `${readings.join('\n')}\n`);
  const text = Object.entries(cells)
    .map(([id, cell]) => `// %% id=${id}\n${cell}\n`)
    .join('\n');
  const notebook = folder.write('a.sluice.ts', text);
  let first: unknown;
  for (let run = 1; run <= runs; run++) {
    const { code, lines, err } = await sluice('run', notebook, '--json');
    const errors = lines.flatMap(({ cell, error }) => (error ? [{ cell, ...error }] : []));
    assert.deepEqual(
      [code, err, errors.map(({ cell }) => cell).toSorted()],
      [1, '', ['prices', 'totals']],
      `run ${run}`,
    );
    const rowsOf = (cell: string): readonly unknown[] =>
      lines.flatMap((line) => (line.cell === cell && 'row' in line ? [line.row] : []));
    const rows = Object.fromEntries(Object.keys(cells).map((cell) => [cell, rowsOf(cell)]));
    assert.deepEqual([rows['all']!.length, rows['slowly']!.length, rows['rolling']!.length], [3000, 777, 777]);
    assert.deepEqual([rows['pairs']!.length, rows['healthy']!.length], [773, 136]);
    const written = readFileSync(join(dirname(notebook), 'out.jsonl'), 'utf8');
    assert.equal(written.trimEnd().split('\n').length, 777);
    const seen = { errors: errors.toSorted((a, b) => String(a.cell).localeCompare(String(b.cell))), rows, written };
    first ??= seen;
    assert.deepEqual(seen, first, `run ${run}`);
  }
});
