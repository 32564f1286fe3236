// The packages whose code is in the bundles, read from esbuild's metafiles.
import type { Metafile } from 'esbuild';

/**
 * Folders of all bundled packages, those that other packages bring included:
 * `node_modules/a/node_modules/@b/c`.
 */
export function packageFolders(metafiles: readonly Metafile[]): readonly string[] {
  const folders = metafiles.flatMap((metafile) => Object.keys(metafile.inputs).flatMap(packageFolder));
  return [...new Set(folders)].sort();
}

/**
 * Names of the packages that our own sources import. A package that another package brings is not
 * among them.
 */
export function importedPackages(metafiles: readonly Metafile[]): readonly string[] {
  const folders = ownImports(metafiles).flatMap(({ path, external }) => (external ? [] : packageFolder(path)));
  return [...new Set(folders.map((folder) => folder.replace(/^.*node_modules\//, '')))].sort();
}

/** esbuild names the helper functions that it adds to a bundle as an import of this path. */
const esbuildHelpers = '<runtime>';

/** Names that our own sources import when they run, because esbuild has left them out. */
export function externalImports(metafiles: readonly Metafile[]): readonly string[] {
  const names = ownImports(metafiles).flatMap(({ path, external }) =>
    external && path !== esbuildHelpers ? [path] : [],
  );
  return [...new Set(names)].sort();
}

function ownImports(metafiles: readonly Metafile[]): readonly { readonly path: string; readonly external?: boolean }[] {
  return metafiles
    .flatMap((metafile) => Object.entries(metafile.inputs))
    .flatMap(([input, { imports }]) => (packageFolder(input).length === 0 ? imports : []));
}

/**
 * `node_modules/a/node_modules/@b/c/x.js` lies in the package `node_modules/a/node_modules/@b/c`.
 */
function packageFolder(input: string): string[] {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return found === null ? [] : [found[1]!];
}
