// `npm run package`: packs what was built into the .vsix, nothing native in it, and prints its
// size.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createVSIX, listFiles, PackageManager } from '@vscode/vsce';

const root = path.join(import.meta.dirname, '../..');
export const packedFile: string = path.join(root, 'dist', 'sluice.vsix');

export async function packExtension(): Promise<string> {
  const files = await listFiles({ cwd: root, packageManager: PackageManager.None });
  const native = files.filter((file) => /\.(node|so|dylib|dll|exe|wasm)$/.test(file));
  if (native.length > 0) throw new Error(`The package would hold native files, and must not: ${native.join(', ')}`);
  await createVSIX({
    cwd: root,
    packagePath: packedFile,
    dependencies: false,
    allowMissingRepository: true,
    // The README's links lead into the repository, whose address is not the package's business.
    rewriteRelativeLinks: false,
    skipLicense: true,
  });
  const { size } = await stat(packedFile);
  console.log(
    `${path.relative(process.cwd(), packedFile)}: ${(size / 1024 / 1024).toFixed(2)} MB, ${files.length} files`,
  );
  return packedFile;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await packExtension();
