// What ships, as data: each bundle's entry, where it goes and how it is loaded there.
import { build, type BuildOptions, type Metafile } from 'esbuild';

export interface Bundle {
  readonly name: string;
  /** Entry files by output name, relative to the project's root. */
  readonly entries: Readonly<Record<string, string>>;
  readonly options: BuildOptions;
}

// Sources are ES modules. A CommonJS bundle has no import.meta, so it gets the same values from
// CommonJS.
const commonJs: BuildOptions = {
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  outExtension: { '.js': '.cjs' },
  banner: { js: "const sluiceBundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: {
    'import.meta.url': 'sluiceBundleUrl',
    'import.meta.filename': '__filename',
    'import.meta.dirname': '__dirname',
  },
};
// Bundled CommonJS packages call require for Node's own modules.
const requireBanner =
  "import { createRequire as sluiceCreateRequire } from 'node:module';\nconst require = sluiceCreateRequire(import.meta.url);";
const esm: BuildOptions = {
  format: 'esm',
  platform: 'node',
  target: 'node22',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: requireBanner },
  define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
};

// An older Node would end at a module that it does not have. It is a line of the log, and the exit
// code is that of a bad configuration.
const nodeOfJob = `if (Number(process.versions.node.split('.')[0]) < 24) {
  const message = 'The job needs Node 24 or later, and this is Node ' + process.versions.node + '.';
  const line = { time: new Date().toISOString(), level: 'error', message, code: 'bad-configuration' };
  require('node:fs').writeSync(1, JSON.stringify(line) + '\\n');
  process.exit(2);
}`;

/**
 * All bundles are minified but keep names. `engine/codegen/specialize.ts` compiles functions again
 * from their text, and the helper that keeps the names in this text must have the expected name.
 */
export const shipped: BuildOptions = {
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: false,
  keepNames: true,
  legalComments: 'none',
};

const withoutEngine: BuildOptions = { minifyIdentifiers: true };

export const bundles: readonly Bundle[] = [
  {
    name: 'extension',
    entries: { extension: 'extension/main.ts' },
    options: { ...commonJs, ...withoutEngine, external: ['vscode'] },
  },
  // One file, executor included: an update of the extension must not remove parts that a running
  // kernel loads later.
  { name: 'kernel', entries: { kernel: 'kernel/main.ts' }, options: commonJs },
  {
    name: 'language',
    entries: { language: 'kernel/language-server.ts' },
    // It bundles the packages of a notebook, to say what a job cannot have inside.
    options: { ...commonJs, ...withoutEngine, external: ['esbuild'] },
  },
  // Notebooks and jobs import `sluice` and `sluice/testing` into one program, so their shared
  // parts are shared chunks.
  { name: 'package', entries: { sluice: 'engine/index.ts', testing: 'engine/testing/index.ts' }, options: esm },
  {
    name: 'cli',
    // Two files: the first switches on the cache of compiled code for the second.
    entries: { cli: 'kernel/cli.ts', command: 'kernel/command.ts' },
    // `sluice export` bundles packages with esbuild, which has a part for each system.
    options: {
      ...esm,
      splitting: false,
      banner: { js: `#!/usr/bin/env node\n${requireBanner}` },
      external: ['esbuild'],
    },
  },
  // `sluice export` writes this file, with its map, and puts the notebook behind it.
  {
    name: 'job',
    entries: { job: 'kernel/exported-job.ts' },
    options: {
      ...commonJs,
      banner: { js: `${nodeOfJob}\n${commonJs.banner!['js']}` },
      sourcemap: 'external',
      sourcesContent: false,
    },
  },
];

export function bundleOptions({ entries, options }: Bundle): BuildOptions {
  return {
    entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: entry, out })),
    outdir: 'dist',
    ...shipped,
    ...options,
  };
}

/** Bundles, and returns what went into the bundle. */
export async function bundled(root: string, options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    logLevel: 'warning',
    ...options,
    metafile: true,
  });
  return metafile;
}
