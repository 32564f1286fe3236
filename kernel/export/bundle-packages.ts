// The packages that a job imports, as the body of one CommonJS function. Paths in it are relative
// to the notebook's folder, so the same tree gives the same bytes.
//
// A bundle has code alone. What reads files beside its own stays a dependency of the job:
//
//   bundle ─► which of its files ask for their own place? ─► bundle again without their packages
import { realpathSync } from 'node:fs';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import type { BuildResult, Metafile } from 'esbuild';
import type { CellDiagnostic } from '../cells/compile.ts';
import { type Bundler, loadBundler } from './bundler.ts';
import type { BundledModule } from './job-modules.ts';
import type { LockEntries } from './locked-packages.ts';
import { nativeReason } from './native-part.ts';
import { OutsidePackages, outsidePrefix } from './outside-packages.ts';
import { ownPlace } from './own-place.ts';
import { innermostPackage } from './package-places.ts';

export interface BundledPackages {
  /** `exports.load[n]()` imports the module n. '' without modules. */
  readonly code: string;
  /** A source map as JSON; '' without modules. */
  readonly map: string;
  /** Packages that cannot be bundled by name: their versions. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Those, and what they need, as a lock file has them. */
  readonly locked: LockEntries;
  /** Why each of them is not inside. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Files and folders on which it depends: with others, it may be another bundle. */
  readonly sources: readonly string[];
  /** With an error among them, there is no code. */
  readonly problems: readonly CellDiagnostic[];
}

const nothing: BundledPackages = {
  ...{ code: '', map: '', dependencies: {}, locked: {}, reasons: {} },
  ...{ sources: [], problems: [] },
};

/** Error: `no-bundler`. */
export async function bundlePackages(
  notebook: string,
  modules: readonly BundledModule[],
  bundler: () => Promise<Bundler> = loadBundler,
): Promise<BundledPackages> {
  if (modules.length === 0) return nothing;
  const loaded = await bundler();
  const outside = new OutsidePackages();
  const problems = new Map<string, CellDiagnostic>();
  const report = (problem: CellDiagnostic): void => void problems.set(`${problem.cell} ${problem.message}`, problem);
  // The rest is found on the way.
  for (const module of modules) {
    if (module.native === undefined) continue;
    const what = nativeReason(module.native);
    const problem = outside.add(module.path, what);
    if (problem !== undefined) report(refusal(module, { what, problem }));
  }
  for (;;) {
    const before = outside.size;
    let result: BuildResult;
    try {
      result = await bundled(notebook, modules, loaded, outside);
    } catch (error) {
      const found = await failuresOf(error, notebook, modules, loaded, outside);
      const sources = placesOf(error, dirname(notebook));
      // What awaits at its top level is outside now.
      if (found.length === 0 && outside.size > before) continue;
      if (found.length === 0) throw error;
      return { ...nothing, sources, problems: [...problems.values(), ...found] };
    }
    for (const problem of filesBeside(dirname(notebook), modules, result.metafile!, outside)) report(problem);
    // A package that was found on the way may be inside of one that is bundled already.
    if (outside.size > before) continue;
    const textOf = (ending: string): string =>
      result.outputFiles!.find(({ path }) => path.endsWith(ending))?.text ?? '';
    const { versions: dependencies, locked, reasons } = outside;
    const found = [...problems.values()];
    const sources = Object.keys(result.metafile!.inputs).map((input) =>
      resolve(dirname(notebook), ...input.split('/')),
    );
    if (found.some(({ severity }) => severity === 'error')) return { ...nothing, sources, problems: found };
    return { code: textOf('.js'), map: textOf('.map'), dependencies, locked, reasons, sources, problems: found };
  }
}

function bundled(
  notebook: string,
  modules: readonly BundledModule[],
  { build }: Bundler,
  outside: OutsidePackages,
): Promise<BuildResult> {
  const folder = dirname(notebook);
  const imports = modules.map(({ path, specifier }) => {
    const isOutside = outside.nameOf(path) !== undefined;
    return `() => import(${JSON.stringify(isOutside ? `${outsidePrefix}${specifier}` : path)})`;
  });
  return build({
    stdin: {
      contents: `export const load = [${imports.join(', ')}];`,
      resolveDir: folder,
      // With this ending, CommonJS modules have the default export that Node gives them.
      sourcefile: 'packages.mjs',
    },
    absWorkingDir: folder,
    outfile: join(folder, 'packages.js'),
    bundle: true,
    metafile: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'eof',
    logLevel: 'silent',
    plugins: [outside.plugin()],
    define: {
      'import.meta.url': 'sluicePackagesUrl',
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
    },
  });
}

/** What reads files beside its own goes outside. It is a problem if that cannot be. */
function filesBeside(
  folder: string,
  modules: readonly BundledModule[],
  { inputs }: Metafile,
  outside: OutsidePackages,
): readonly CellDiagnostic[] {
  const pathOf = (input: string): string => resolve(folder, ...input.split('/'));
  const inside = new Set(Object.keys(inputs).map(pathOf));
  return Object.keys(inputs).flatMap((input): CellDiagnostic[] => {
    const path = pathOf(input);
    const refused = outside.refused.get(path);
    if (refused) return [refusal(importerOf(input, folder, modules, inputs), refused)];
    const isImported = outside.imported.has(path);
    const place = isImported ? undefined : ownPlace(path);
    if (!isImported && !place) return [];
    const named = place?.named.filter((one) => !inside.has(one)) ?? [];
    const where = `${shortName(path)}${place ? `:${place.line}` : ''}`;
    const files = named.length === 0 ? '' : `: ${named.map((one) => basename(one)).join(', ')}`;
    const what = place
      ? `${where} looks for files beside itself (${place.by}${files})`
      : `it imports ${where}, which is no JavaScript`;
    const problem = outside.add(path, what);
    if (problem === undefined) return [];
    const module = importerOf(input, folder, modules, inputs);
    const isSure = isImported || named.length > 0;
    if (isSure) return [refusal(module, { what, problem })];
    const may = `"${module.specifier}" may fail in the job: ${what}, and a bundle has no such files. It would stay a dependency of the job. ${problem}`;
    return [problemAt(module, 'warning', 'files-beside', may)];
  });
}

function refusal(
  module: BundledModule,
  { what, problem }: { readonly what: string; readonly problem: string },
): CellDiagnostic {
  return problemAt(
    module,
    'error',
    'not-bundled',
    `"${module.specifier}" cannot be bundled: ${what}. It would stay a dependency of the job. ${problem}`,
  );
}

/** "charts/lib/load.js" */
function shortName(path: string): string {
  const around = innermostPackage(path);
  return around ? relative(join(around.root, 'node_modules'), path).replaceAll(sep, '/') : basename(path);
}

/** The module of the notebook whose import brings in a file. */
function importerOf(
  input: string,
  folder: string,
  modules: readonly BundledModule[],
  inputs: Metafile['inputs'],
): BundledModule {
  const inputOf = ({ path }: BundledModule): string =>
    relative(realpathSync(folder), realpathSync(path)).replaceAll(sep, '/');
  const reaches = (module: BundledModule): boolean => {
    const seen = new Set([inputOf(module)]);
    for (const one of seen)
      for (const { path, external } of inputs[one]?.imports ?? []) if (external !== true) seen.add(path);
    return seen.has(input);
  };
  return modules.find(reaches) ?? modules[0]!;
}

interface BundleError {
  readonly errors?: readonly { readonly text: string; readonly location?: { readonly file: string } | null }[];
}

/** The files that fail, and their folders: a file that is missing there may come. */
function placesOf(error: unknown, folder: string): readonly string[] {
  const files = ((error as BundleError).errors ?? []).flatMap(({ location }) => location?.file ?? []);
  return files.flatMap((file) => [resolve(folder, file), dirname(resolve(folder, file))]);
}

/**
 * Each import that fails, at its cell: each module is bundled alone. A module that awaits at its
 * top level, or needs such a module, goes outside: require() cannot load it.
 */
async function failuresOf(
  error: unknown,
  notebook: string,
  modules: readonly BundledModule[],
  bundler: Bundler,
  outside: OutsidePackages,
): Promise<readonly CellDiagnostic[]> {
  const [first] = (error as BundleError).errors ?? [];
  if (!first) throw error;
  const found: CellDiagnostic[] = [];
  for (const module of modules.filter(({ path }) => outside.nameOf(path) === undefined))
    try {
      await bundled(notebook, [module], bundler, new OutsidePackages());
    } catch (inner) {
      const { text, location } = (inner as BundleError).errors?.[0] ?? first;
      const isAwait = text.startsWith('Top-level await');
      const problem = isAwait ? outside.add(module.path, 'it awaits at its top level') : undefined;
      if (isAwait && problem === undefined) continue;
      const where = location ? ` (${posix.join(basename(dirname(location.file)), basename(location.file))})` : '';
      const message = `"${module.specifier}" cannot be bundled: ${text}${where}.${problem === undefined ? '' : ` ${problem}`}`;
      found.push(problemAt(module, 'error', 'not-bundled', message));
    }
  return found;
}

function problemAt(
  { place }: BundledModule,
  severity: CellDiagnostic['severity'],
  code: string,
  message: string,
): CellDiagnostic {
  return { ...place, severity, code, message };
}
