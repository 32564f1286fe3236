// What bundling finds in the packages of open notebooks, while they are edited. A bundle takes from
// tenths of a second to seconds in WebAssembly, so it is made again only when the imports of the
// job have changed, or what is installed. esbuild is a process of its own, so nothing waits for it.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CellDiagnostic } from '../cells/compile.ts';
import { bundlePackages } from './bundle-packages.ts';
import type { BundledModule } from './job-modules.ts';
import { LatestProblems } from './latest-problems.ts';
import { packagesAround } from './package-places.ts';

type Problems = readonly CellDiagnostic[];

export class DryBundles {
  readonly #latest = new LatestProblems();
  readonly #bundle: typeof bundlePackages;

  constructor(bundle = bundlePackages) {
    this.#bundle = bundle;
  }

  /** At once, if it is known. A promise: it is being found. */
  problems(notebook: string, modules: readonly BundledModule[]): Problems | Promise<Problems> {
    if (modules.length === 0) return [];
    const key = JSON.stringify([modules, installedAt(notebook, modules)]);
    return this.#latest.problems(notebook, key, async () => (await this.#bundle(notebook, modules)).problems);
  }
  forget(notebook: string): void {
    this.#latest.forget(notebook);
  }
}

/** Times of the files that change when a package is installed, and of the modules themselves. */
function installedAt(notebook: string, modules: readonly BundledModule[]): readonly unknown[] {
  const roots = new Set([
    dirname(notebook),
    ...modules.flatMap(({ path }) => packagesAround(path).map(({ root }) => root)),
  ]);
  const files = [...roots].flatMap((root) => [
    join(root, 'package-lock.json'),
    join(root, 'node_modules/.package-lock.json'),
  ]);
  return [...files, ...modules.map(({ path }) => path)].map(
    (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null,
  );
}
