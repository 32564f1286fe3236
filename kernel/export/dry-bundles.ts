// What bundling finds in the packages of open notebooks, while they are edited. A bundle takes from
// tenths of a second to seconds in WebAssembly, so it is made again only when the imports of the
// job have changed, what is installed, or a file that went into the last bundle. esbuild is a
// process of its own, so nothing waits for it.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CellDiagnostic } from '../cells/compile.ts';
import { bundlePackages } from './bundle-packages.ts';
import type { BundledModule } from './job-modules.ts';
import { LatestProblems } from './latest-problems.ts';
import { installedRoots } from './package-places.ts';

type Problems = readonly CellDiagnostic[];
/** Paths with the times at which they were changed; null: nothing is there. */
type Times = ReadonlyMap<string, number | null>;

export class DryBundles {
  readonly #latest = new LatestProblems();
  readonly #bundle: typeof bundlePackages;
  /** Of the last bundle of a notebook: on what it depends. */
  readonly #seen = new Map<string, Times>();
  /** How often something of that has changed. */
  #changes = 0;

  constructor(bundle = bundlePackages) {
    this.#bundle = bundle;
  }

  /** At once, if it is known. A promise: it is being found. */
  problems(notebook: string, modules: readonly BundledModule[]): Problems | Promise<Problems> {
    if (modules.length === 0) return [];
    const seen = this.#seen.get(notebook);
    if (seen && [...seen].some(([path, time]) => timeOf(path) !== time)) {
      this.#seen.delete(notebook);
      this.#changes++;
    }
    const key = JSON.stringify([modules, this.#changes]);
    return this.#latest.problems(notebook, key, async () => {
      // What changes while the bundle is made may not be in it.
      const before = timesOf(watched(notebook, modules, []));
      this.#seen.set(notebook, before);
      const { problems, sources } = await this.#bundle(notebook, modules);
      this.#seen.set(notebook, new Map([...timesOf(watched(notebook, modules, sources)), ...before]));
      return problems;
    });
  }
  forget(notebook: string): void {
    this.#latest.forget(notebook);
    this.#seen.delete(notebook);
  }
}

/** What a package manager writes when it installs: npm, pnpm, Yarn. */
const lockFiles = [
  ...['package-lock.json', 'node_modules/.package-lock.json', 'pnpm-lock.yaml', 'node_modules/.modules.yaml'],
  ...['yarn.lock', 'node_modules/.yarn-integrity', 'node_modules/.yarn-state.yml'],
];

function watched(notebook: string, modules: readonly BundledModule[], sources: readonly string[]): readonly string[] {
  const files = [...modules.map(({ path }) => path), ...sources];
  const roots = new Set([dirname(notebook), ...files.flatMap(installedRoots)]);
  return [...new Set([...files, ...[...roots].flatMap((root) => lockFiles.map((file) => join(root, file)))])];
}
function timesOf(paths: readonly string[]): Times {
  return new Map(paths.map((path) => [path, timeOf(path)]));
}
function timeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}
