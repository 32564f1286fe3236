// TypeScript's own declarations (lib.*.d.ts), laid beside the bundles: the language service and
// `check` read them.
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

export const libraryFolder = 'node_modules/typescript/lib';

export async function copyTypeScriptLibraries(root: string): Promise<void> {
  const from = path.join(root, libraryFolder);
  const to = path.join(root, 'dist/ts-lib');
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => /^lib\..*\.d\.ts$|^lib\.d\.ts$/.test(name));
  await Promise.all(names.map((name) => copyFile(path.join(from, name), path.join(to, name))));
}
