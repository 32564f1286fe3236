// `npm run build`: everything that ships, from sources to dist/. `--only extension,kernel` builds a part.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bundleRenderer } from './bundle-renderer.ts';
import { bundles } from './bundles.ts';
import { copyTypeScriptLibraries, libraryFolder } from './type-libraries.ts';
import { declarationInputs, writeDeclarations } from './declarations.ts';

const root = path.join(import.meta.dirname, '../..');

interface Step {
  readonly name: string;
  readonly inputs: readonly string[];
  run(): Promise<unknown>;
}

const steps: readonly Step[] = [
  ...bundles.map((bundle): Step => ({
    name: bundle.name,
    inputs: Object.values(bundle.entries),
    run: () =>
      build({
        absWorkingDir: root,
        entryPoints: Object.entries(bundle.entries).map(([out, entry]) => ({ in: entry, out })),
        outdir: 'dist',
        bundle: true,
        minify: true,
        keepNames: true,
        sourcemap: false,
        legalComments: 'none',
        logLevel: 'warning',
        ...bundle.options,
      }),
  })),
  {
    name: 'renderer',
    inputs: ['extension/renderer/renderer-entry.ts', 'extension/renderer/page/page-entry.ts'],
    run: () => bundleRenderer(path.join(root, 'dist')),
  },
  { name: 'declarations', inputs: declarationInputs, run: () => writeDeclarations(root) },
  { name: 'libraries', inputs: [libraryFolder], run: () => copyTypeScriptLibraries(root) },
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? steps.map((step) => step.name);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no part "${unknown.join('", "')}" to build. Parts: ${steps.map((step) => step.name).join(', ')}.`,
  );
  process.exit(1);
}
const chosen = steps.filter((step) => wanted.includes(step.name));
const missing = chosen.flatMap((step) =>
  step.inputs.filter((input) => !existsSync(path.join(root, input))).map((input) => `  ${step.name}: ${input}`),
);
if (missing.length > 0) {
  console.error(
    `The build misses files:\n${missing.join('\n')}\nBuild the rest with --only ${
      chosen
        .filter((step) => step.inputs.every((input) => existsSync(path.join(root, input))))
        .map((step) => step.name)
        .join(',') || '(nothing)'
    }.`,
  );
  process.exit(1);
}
if (values.only === undefined) {
  for (const stale of ['chunks', 'ts-lib']) await rm(path.join(root, 'dist', stale), { recursive: true, force: true });
}
const began = performance.now();
await Promise.all(chosen.map((step) => step.run()));
console.log(
  `Built ${chosen.map((step) => step.name).join(', ')} in ${((performance.now() - began) / 1000).toFixed(1)} s.`,
);
