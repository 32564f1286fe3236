// The engine in a bundle, minified with names kept, as it ships. Generated loops and copied
// functions run as from the sources.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { test } from 'vitest';

const program = join(import.meta.dirname, 'bundled-program.ts');

test('a bundled engine gives the rows of the sources', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
  try {
    const outfile = join(folder, 'program.mjs');
    await build({
      ...{ entryPoints: [program], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
      ...{ minify: true, keepNames: true },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    const run = async (path: string): Promise<string> =>
      (await promisify(execFile)(process.execPath, [path], { maxBuffer: 64 << 20 })).stdout;
    const [bundled, plain] = await Promise.all([run(outfile), run(program)]);
    assert.ok(plain.length > 10_000, plain);
    assert.equal(bundled, plain);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
