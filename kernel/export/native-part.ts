// Packages with a part that is made for one system: a job cannot have them inside.
import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

/** The file that a compiler or a loader of the system needs. undefined: the package has none. */
export function nativePart(path: string, name: string): string | undefined {
  if (path.endsWith('.node')) return path.split(sep).at(-1);
  const inner = join('node_modules', ...name.split('/'));
  const at = path.lastIndexOf(inner);
  const folder = at < 0 ? undefined : path.slice(0, at + inner.length);
  if (folder === undefined) return undefined;
  if (existsSync(join(folder, 'binding.gyp'))) return 'binding.gyp';
  return nativeFile(folder, 4);
}
function nativeFile(folder: string, depth: number): string | undefined {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.node')) return entry.name;
    if (depth === 0 || !entry.isDirectory() || entry.name === 'node_modules') continue;
    const found = nativeFile(join(folder, entry.name), depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
