// Packages with a part that is made for one system: a job cannot have them inside.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { innermostPackage } from './package-places.ts';

/**
 * The file that a compiler or a loader of the system needs, or the package for this system.
 * undefined: the package has none. `path`: one of its files.
 */
export function nativePart(path: string): string | undefined {
  if (path.endsWith('.node')) return path.split(/[\\/]/).at(-1);
  const { folder, root } = innermostPackage(path) ?? {};
  if (folder === undefined || root === undefined) return undefined;
  return nativeFile(folder, 4) ?? systemPackage(folder, root);
}
/** For people. */
export function nativeReason(part: string): string {
  return `it has a native part (${part})`;
}
function nativeFile(folder: string, depth: number): string | undefined {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && (entry.name.endsWith('.node') || entry.name === 'binding.gyp')) return entry.name;
    if (depth === 0 || !entry.isDirectory() || entry.name === 'node_modules') continue;
    const found = nativeFile(join(folder, entry.name), depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface PackageFile {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: unknown;
  readonly cpu?: unknown;
}
/** One of several for each system, of which npm has installed that of this one. */
function systemPackage(folder: string, root: string): string | undefined {
  const names = Object.keys(packageFile(folder)?.optionalDependencies ?? {});
  return names.find((name) =>
    [join(folder, 'node_modules', name), join(root, 'node_modules', name)].some((other) => {
      const { os, cpu } = packageFile(other) ?? {};
      return os !== undefined && cpu !== undefined;
    }),
  );
}
function packageFile(folder: string): PackageFile | undefined {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PackageFile;
  } catch {
    return undefined;
  }
}
