// Packages that a bundle cannot contain: those with a native part, and those that read files beside
// their own. They stay dependencies of the job, with the versions of the user's lock file.
import { extname } from 'node:path';
import type { Plugin } from 'esbuild';
import { type LockEntries, lockedPackage } from './locked-packages.ts';
import { nativePart, nativeReason } from './native-part.ts';
import { packagesAround } from './package-places.ts';

/** What a bundle imports under this prefix and a name is outside. */
export const outsidePrefix = 'sluice-outside:';
/** No JavaScript: the package reads them itself, or Node loads them. */
const noScript = ['.wasm', '.node'];

export class OutsidePackages {
  /** By name: their versions. */
  readonly versions: Record<string, string> = {};
  /** Those, and what they need, as a lock file has them. */
  locked: LockEntries = {};
  /** Why they stay, by name, for people. */
  readonly reasons: Record<string, string> = {};
  /** Files that are no JavaScript, which a bundled file imports. */
  readonly imported = new Set<string>();
  /** Files of packages that cannot be outside, and cannot be inside either: why. */
  readonly refused = new Map<string, { readonly what: string; readonly problem: string }>();
  /**
   * Of the packages that are outside. Another copy of one of them, with its own version, is not.
   */
  readonly #folders = new Set<string>();
  readonly #isNative = new Map<string, boolean>();

  /** How many packages are outside. It only grows. */
  get size(): number {
    return this.#folders.size;
  }

  /** undefined: the package of this file is outside. A text: why it cannot stay there. */
  add(path: string, reason: string): string | undefined {
    const locked = lockedPackage(path);
    if ('problem' in locked) return locked.problem;
    const { name, folder, version, entries } = locked;
    // Two folders with lock files of their own may have different versions of one package.
    for (const [place, { version: one }] of Object.entries(entries)) {
      const other = this.locked[place]?.version;
      if (other === undefined || other === one) continue;
      const what = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `The job would need ${what} ${other} and ${what} ${one}, and it can have one of them.`;
    }
    this.versions[name] = version;
    this.reasons[name] ??= reason;
    this.locked = { ...this.locked, ...entries };
    this.#folders.add(folder);
    return undefined;
  }
  /** The name under which the package of this file is outside, or one around it. */
  nameOf(path: string): string | undefined {
    return packagesAround(path).find(({ folder }) => this.#folders.has(folder))?.name;
  }

  plugin(): Plugin {
    return {
      name: 'outside-packages',
      setup: (build) => {
        build.onResolve({ filter: new RegExp(`^${outsidePrefix}`) }, ({ path }) => {
          return { path: path.slice(outsidePrefix.length), external: true };
        });
        build.onResolve({ filter: /^[^./]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
          if (pluginData === 'asked' || /^(?:[A-Za-z]:|node:|#)/.test(path)) return undefined;
          const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: 'asked' });
          if (found.errors.length > 0 || found.external) return undefined;
          return this.#isOutside(found.path) ? { path, external: true } : undefined;
        });
        build.onLoad({ filter: /\.(?:wasm|node)$/ }, ({ path }) => {
          this.imported.add(path);
          return { contents: '', loader: 'empty' };
        });
      },
    };
  }
  #isOutside(path: string): boolean {
    if (this.nameOf(path) !== undefined) return true;
    const key = packagesAround(path).at(-1)?.folder;
    if (key === undefined) return false;
    const known = this.#isNative.get(key);
    if (known !== undefined) return known;
    const native = noScript.includes(extname(path)) ? undefined : nativePart(path);
    const isNative = native !== undefined && this.#addNative(path, nativeReason(native));
    this.#isNative.set(key, isNative);
    return isNative;
  }
  #addNative(path: string, what: string): boolean {
    const problem = this.add(path, what);
    if (problem !== undefined) this.refused.set(path, { what, problem });
    return problem === undefined;
  }
}
