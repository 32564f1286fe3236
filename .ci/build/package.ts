// `npm run package`: packs what was built into the .vsix, nothing native in it, and prints its
// size.
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createVSIX, listFiles, PackageManager } from '@vscode/vsce';

const root = path.join(import.meta.dirname, '../..');
export const packedFile: string = path.join(root, 'dist', 'sluice.vsix');

/** The text of the Extensions view, from the root. */
const readme = 'dist/readme.md';

/** The picture that the walkthrough shows, and the words that lead there. */
const walkthroughPicture = 'notebook.png';
const toWalkthrough =
  '**Welcome: Open Walkthrough…** in the command palette (F1), then *Get Started with Sluice*, shows a picture of it.\n\n';

/**
 * The README of the extension. The Extensions view loads pictures by https only, none from the
 * package, and since VS Code 1.103 none inside the text. So they have the address of
 * SLUICE_PICTURES, where the files of extension/media/ are published. Without it a line leads to
 * the walkthrough, which shows the same picture from the package.
 */
async function writeReadme(): Promise<void> {
  const base = process.env['SLUICE_PICTURES'];
  if (base !== undefined && !base.startsWith('https://'))
    throw new Error(`SLUICE_PICTURES is ${base}. The Extensions view loads pictures by https only.`);
  const text = await readFile(path.join(root, 'extension', 'README.md'), 'utf8');
  const published = text.replace(/!\[([^\]]*)\]\(media\/([\w-]+\.png)\)\n\n/g, (_, title: string, file: string) =>
    base !== undefined
      ? `![${title}](${base.replace(/\/$/, '')}/${file})\n\n`
      : file === walkthroughPicture
        ? toWalkthrough
        : '',
  );
  await writeFile(path.join(root, readme), published);
}

export async function packExtension(): Promise<string> {
  await writeReadme();
  const files = await listFiles({ cwd: root, packageManager: PackageManager.None });
  // WebAssembly is the same file for every system.
  const native = files.filter(
    (file) => /\.(node|so|dylib|dll|exe|wasm)$/.test(file) && file !== 'dist/esbuild-wasm/esbuild.wasm',
  );
  if (native.length > 0) throw new Error(`The package would hold native files, and must not: ${native.join(', ')}`);
  await createVSIX({
    cwd: root,
    packagePath: packedFile,
    dependencies: false,
    allowMissingRepository: true,
    readmePath: readme,
    // Its pictures have whole addresses, and it has no other relative link.
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
