// `npm run build`: everything that ships, from sources to dist/. `--only extension,kernel` builds a
// part. `--source-maps` writes maps for the bundles of the extension and the kernel. A debugger
// needs them; they do not ship.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BuildOptions, Metafile } from 'esbuild';
import { bundleRenderer, rendererEntries, rendererOptions } from './bundle-renderer.ts';
import { bundled, bundleOptions, bundles, type Bundle } from './bundles.ts';
import { declarationInputs, writeDeclarations } from './declarations.ts';
import { copyPortableBundler, portableBundlerFolder } from './portable-bundler.ts';
import { writeNotices } from './third-party-notices.ts';
import { copyTypeScriptLibraries, libraryFolder } from './type-libraries.ts';

const root = path.join(import.meta.dirname, '../..');

interface Step {
  readonly name: string;
  readonly inputs: readonly string[];
  /** What went into the bundle, for the notices. */
  run(): Promise<Metafile | undefined>;
}

const { values } = parseArgs({ options: { only: { type: 'string' }, 'source-maps': { type: 'boolean' } } });

/** Only where a map lies beside its bundle: `.vscodeignore` lets none of these into the package. */
const sourceMapOf = ({ options }: Bundle): BuildOptions['sourcemap'] =>
  options.sourcemap ?? (values['source-maps'] === true && options.format === 'cjs');

const steps: readonly Step[] = [
  ...bundles.map((bundle): Step => ({
    name: bundle.name,
    inputs: Object.values(bundle.entries),
    run: () => bundled(root, { ...bundleOptions(bundle), sourcemap: sourceMapOf(bundle) }),
  })),
  {
    name: 'renderer',
    inputs: rendererEntries,
    run: async () => {
      await bundleRenderer(path.join(root, 'dist'));
      return bundled(root, rendererOptions);
    },
  },
  { name: 'declarations', inputs: declarationInputs, run: () => writeDeclarations(root).then(() => undefined) },
  { name: 'libraries', inputs: [libraryFolder], run: () => copyTypeScriptLibraries(root).then(() => undefined) },
  {
    name: 'bundler',
    inputs: [portableBundlerFolder],
    run: () => copyPortableBundler(root).then(() => undefined),
  },
];

const wanted = values.only?.split(',') ?? steps.map((step) => step.name);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0)
  fail(`There is no part "${unknown.join('", "')}" to build. Parts: ${steps.map((step) => step.name).join(', ')}.`);
const chosen = steps.filter((step) => wanted.includes(step.name));
const missingOf = (step: Step): string[] => step.inputs.filter((input) => !existsSync(path.join(root, input)));
const missing = chosen.flatMap((step) => missingOf(step).map((input) => `  ${step.name}: ${input}`));
if (missing.length > 0) {
  const rest = chosen.filter((step) => missingOf(step).length === 0).map((step) => step.name);
  fail(`The build misses files:\n${missing.join('\n')}\nThe rest: --only ${rest.join(',') || '(nothing)'}.`);
}

const began = performance.now();
if (values.only === undefined)
  for (const folder of ['chunks', 'ts-lib', 'esbuild-wasm'])
    await rm(path.join(root, 'dist', folder), { recursive: true, force: true });
try {
  const metafiles = await Promise.all(chosen.map((step) => step.run()));
  if (values.only === undefined)
    await writeNotices(
      root,
      metafiles.flatMap((metafile) => metafile ?? []),
    );
} catch (error) {
  // esbuild has said what is wrong, and where.
  fail(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
}
console.log(
  `Built ${chosen.map((step) => step.name).join(', ')} in ${((performance.now() - began) / 1000).toFixed(1)} s.`,
);

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
