// esbuild in WebAssembly, laid beside the bundles: the extension exports jobs with it, because the
// native one has a part for each system.
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

export const portableBundlerFolder = 'node_modules/esbuild-wasm';
const files = ['lib/main.js', 'bin/esbuild', 'wasm_exec.js', 'wasm_exec_node.js', 'esbuild.wasm', 'package.json'];

export async function copyPortableBundler(root: string): Promise<void> {
  const to = path.join(root, 'dist/esbuild-wasm');
  for (const file of files) {
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await copyFile(path.join(root, portableBundlerFolder, file), path.join(to, file));
  }
}
