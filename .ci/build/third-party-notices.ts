// dist/third-party-notices.txt: the licence of every package whose code is in a bundle or beside
// it. Their licences ask for it, and bundling drops comments.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { packageFolders } from './bundled-packages.ts';
import { portableBundlerFolder } from './portable-bundler.ts';

export async function writeNotices(root: string, metafiles: readonly Metafile[]): Promise<void> {
  const notices = await Promise.all(
    [...packageFolders(metafiles), portableBundlerFolder].sort().map((folder) => notice(root, folder)),
  );
  await writeFile(path.join(root, 'dist', 'third-party-notices.txt'), notices.join(`\n${'-'.repeat(100)}\n`));
}

async function notice(root: string, folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(
    await readFile(path.join(root, folder, 'package.json'), 'utf8'),
  ) as Record<'name' | 'version' | 'license', string | undefined>;
  const files = (await readdir(path.join(root, folder))).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  if (license === undefined && files.length === 0) throw new Error(`${folder} is bundled and names no licence.`);
  const texts = await Promise.all(files.sort().map((file) => readFile(path.join(root, folder, file), 'utf8')));
  return `${name ?? folder} ${version ?? ''} (${license ?? 'see below'})\n\n${texts.join('\n').trim()}\n`;
}
