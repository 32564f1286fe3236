// To which package a file belongs, and under which names the packages around it are installed.
import { join, sep } from 'node:path';

export interface PackagePlace {
  readonly name: string;
  /** node_modules/@scope/name, absolute. */
  readonly folder: string;
  /** The folder that has this node_modules. */
  readonly root: string;
}

/** From the outermost to the package of the file itself. Empty: it is in no package. */
export function packagesAround(path: string): readonly PackagePlace[] {
  const parts = path.split(sep);
  return parts.flatMap((part, i): PackagePlace[] => {
    const first = parts[i + 1];
    if (part !== 'node_modules' || first === undefined) return [];
    const names = parts.slice(i + 1, first.startsWith('@') ? i + 3 : i + 2);
    const root = parts.slice(0, i).join(sep) || sep;
    // A file of node_modules itself, and folders like .pnpm, are no packages.
    const isPackage = !first.startsWith('.') && i + 1 + names.length < parts.length;
    return isPackage ? [{ name: names.join('/'), folder: join(root, 'node_modules', ...names), root }] : [];
  });
}
/**
 * The folders around a file that have a node_modules. With pnpm, one of them is in another one's.
 */
export function installedRoots(path: string): readonly string[] {
  const parts = path.split(sep);
  return parts.flatMap((part, i) => (part === 'node_modules' ? [parts.slice(0, i).join(sep) || sep] : []));
}
export function innermostPackage(path: string): PackagePlace | undefined {
  return packagesAround(path).at(-1);
}
