// esbuild, loaded when it is needed. The native one is a dependency of the package `sluice`. It has
// a part for each system, so the extension brings the one in WebAssembly. Both give the same bytes.
import { existsSync } from 'node:fs';
import childProcess from 'node:child_process';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import type { build } from 'esbuild';
import { SluiceError } from '../../engine/errors/error.ts';

export interface Bundler {
  readonly build: typeof build;
}

/** Error: `no-bundler`. */
export async function loadBundler(): Promise<Bundler> {
  try {
    return await import('esbuild');
  } catch (error) {
    const found = portableBundler();
    if (found) return found;
    throw new SluiceError(
      'no-bundler',
      'The notebook imports packages, and esbuild, which bundles them, is not installed beside Sluice. npm install esbuild',
      {},
      { cause: error },
    );
  }
}

/** The one in WebAssembly. undefined: it is not there. */
export function portableBundler(): Bundler | undefined {
  const require = createRequire(import.meta.url);
  // Beside the bundle in the extension, else among the packages of the sources.
  const beside = join(import.meta.dirname, 'esbuild-wasm/lib/main.js');
  const file = existsSync(beside) ? beside : join(import.meta.dirname, '../../node_modules/esbuild-wasm/lib/main.js');
  if (!existsSync(file)) return undefined;
  startWithThisNode();
  return require(file) as Bundler;
}

let isPatched = false;
/**
 * It starts a process `node`, which need not be installed where VS Code is. This Node runs it as
 * well.
 */
function startWithThisNode(): void {
  if (isPatched) return;
  isPatched = true;
  const spawn = childProcess.spawn as (...all: readonly unknown[]) => unknown;
  const own = (command: string, ...rest: readonly unknown[]): unknown =>
    spawn(command === 'node' ? process.execPath : command, ...rest);
  Reflect.set(childProcess, 'spawn', own);
  syncBuiltinESMExports();
}
