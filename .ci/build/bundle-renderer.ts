// Bundles the code that draws displays: for VS Code's notebook renderer, for the served page, and
// for the panel of a peek. All have the same drawing code and the same codec.
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const renderer = join(root, 'extension/renderer');

/**
 * Limit of the minified bundle, which includes Vega. A larger bundle fails the build.
 */
const largest = 1_200_000;

export const browserBundle: BuildOptions = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  legalComments: 'none',
  loader: { '.css': 'text' },
  logLevel: 'warning',
};

export const rendererEntries: readonly string[] = [
  'extension/renderer/renderer-entry.ts',
  'extension/renderer/page/page-entry.ts',
  'extension/renderer/peek/peek-entry.ts',
];

/** To learn what goes into the files of `bundleRenderer`. Nothing is written. */
export const rendererOptions: BuildOptions = {
  ...browserBundle,
  minify: false,
  entryPoints: [...rendererEntries],
  outdir: 'dist',
  write: false,
};

export interface BundledFile {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Writes `renderer.js`, `peek.js` and `page/{index.html,page.js,page.css}` into `outDir` and
 * answers with their sizes.
 */
export async function bundleRenderer(outDir: string = join(root, 'dist')): Promise<readonly BundledFile[]> {
  const page = join(outDir, 'page');
  await mkdir(page, { recursive: true });
  await Promise.all([
    build({
      ...browserBundle,
      entryPoints: [join(renderer, 'renderer-entry.ts')],
      outfile: join(outDir, 'renderer.js'),
    }),
    build({ ...browserBundle, entryPoints: [join(renderer, 'peek/peek-entry.ts')], outfile: join(outDir, 'peek.js') }),
    build({ ...browserBundle, entryPoints: [join(renderer, 'page/page-entry.ts')], outfile: join(page, 'page.js') }),
    copyFile(join(renderer, 'page/page.html'), join(page, 'index.html')),
    copyFile(join(renderer, 'page/page.css'), join(page, 'page.css')),
  ]);
  const files = [
    ...['renderer.js', 'peek.js'].map((name) => join(outDir, name)),
    ...['index.html', 'page.js', 'page.css'].map((name) => join(page, name)),
  ];
  const sizes = await Promise.all(files.map(async (file) => ({ file, bytes: (await stat(file)).size })));
  for (const { file, bytes } of sizes) {
    if (bytes > largest) throw new Error(`${file} has ${String(bytes)} bytes, more than ${String(largest)}.`);
  }
  return sizes;
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  const sizes = await bundleRenderer();
  for (const { file, bytes } of sizes) {
    console.log(`${file.slice(dirname(root).length + 1)}  ${(bytes / 1000).toFixed(0)} kB`);
  }
}
