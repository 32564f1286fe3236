// The packages that a job imports, as the body of one CommonJS function. Paths in it are relative
// to the notebook's folder, so the same tree gives the same bytes.
import { basename, dirname, join } from 'node:path';
import type { BuildResult, Plugin } from 'esbuild';
import { packageName } from '../cells/specifiers.ts';
import { type Bundler, loadBundler } from './bundler.ts';
import { CellFailure } from './evaluated-cells.ts';
import type { BundledModule } from './job-modules.ts';
import { type LockEntries, lockedPackages } from './locked-packages.ts';
import { nativePart } from './native-part.ts';

export interface BundledPackages {
  /** `exports.load[n]()` imports the module n. '' without modules. */
  readonly code: string;
  /** A source map as JSON; '' without modules. */
  readonly map: string;
  /** Packages with a native part by name: their versions. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Those, and what they need, as a lock file has them. */
  readonly locked: LockEntries;
}

/** Errors: `no-bundler`; CellFailure for a module that cannot be bundled. */
export async function bundlePackages(
  notebook: string,
  modules: readonly BundledModule[],
  bundler: () => Promise<Bundler> = loadBundler,
): Promise<BundledPackages> {
  if (modules.length === 0) return { code: '', map: '', dependencies: {}, locked: {} };
  const loaded = await bundler();
  const outside = new OutsidePackages();
  try {
    const { outputFiles = [] } = await bundled(notebook, modules, loaded, outside);
    const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
    return { code: textOf('.js'), map: textOf('.map'), dependencies: outside.versions, locked: outside.locked };
  } catch (error) {
    throw (await failureOf(error, notebook, modules, loaded)) ?? error;
  }
}

function bundled(
  notebook: string,
  modules: readonly BundledModule[],
  { build }: Bundler,
  outside: OutsidePackages,
): Promise<BuildResult> {
  const folder = dirname(notebook);
  const imports = modules.map(
    ({ path, dependency, specifier }) => `() => import(${JSON.stringify(dependency === undefined ? path : specifier)})`,
  );
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

/** Packages with a native part, which no bundle contains: also those that other packages need. */
class OutsidePackages {
  readonly versions: Record<string, string> = {};
  locked: LockEntries = {};
  readonly #isNative = new Map<string, boolean>();

  plugin(): Plugin {
    return {
      name: 'native-parts',
      setup: (build) => {
        build.onResolve({ filter: /^[^./]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
          if (pluginData === 'asked' || /^(?:[A-Za-z]:|node:|#)/.test(path)) return undefined;
          const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: 'asked' });
          if (found.errors.length > 0 || found.external) return undefined;
          return this.#stays(packageName(path), found.path) ? { path, external: true } : undefined;
        });
      },
    };
  }
  #stays(name: string, path: string): boolean {
    const known = this.#isNative.get(name);
    if (known !== undefined) return known;
    const locked = nativePart(path, name) === undefined ? undefined : lockedPackages(name, path);
    const stays = locked !== undefined && 'version' in locked;
    if (stays) {
      this.versions[name] = locked.version;
      this.locked = { ...this.locked, ...locked.entries };
    }
    this.#isNative.set(name, stays);
    return stays;
  }
}

interface BundleError {
  readonly errors?: readonly { readonly text: string; readonly location?: { readonly file: string } | null }[];
}

/** Names the cell whose import fails: each module is bundled alone. undefined: none fails alone. */
async function failureOf(
  error: unknown,
  notebook: string,
  modules: readonly BundledModule[],
  bundler: Bundler,
): Promise<CellFailure | undefined> {
  const [first] = (error as BundleError).errors ?? [];
  if (!first) return undefined;
  for (const module of modules)
    try {
      await bundled(notebook, [module], bundler, new OutsidePackages());
    } catch (inner) {
      const { text, location } = (inner as BundleError).errors?.[0] ?? first;
      const where = location ? ` (${basename(dirname(location.file))}/${basename(location.file)})` : '';
      return new CellFailure({
        ...{ ...module.place, offset: 0, length: 0, severity: 'error', code: 'not-bundled' },
        message: `"${module.specifier}" cannot be bundled: ${text}${where}.`,
      });
    }
  return undefined;
}
