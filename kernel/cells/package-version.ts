// The version of a package that is installed, by one of its files.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** undefined: no folder above the file says it. */
export function versionOfPackage(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const version = versionIn(folder);
    if (version !== undefined || folder === dirname(folder)) return version;
  }
}

/** A folder inside a package may have a package.json without a version. */
function versionIn(folder: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
