// What the text after `from` means: one of our own modules, a file beside the notebook, or a package.
import { realpathSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const isRelative = (specifier: string): boolean =>
  /^\.{1,2}(\/|$)/.test(specifier) || isAbsolute(specifier) || specifier.startsWith('file:');

/** Compiled by us and read anew when it changes. Other files beside the notebook (`.cjs`, `.node`, `.wasm`) are Node's. */
export const isModuleSource = (path: string): boolean =>
  ['.ts', '.mts', '.js', '.mjs', '.json'].includes(extname(path));

const written: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };
const guesses = ['.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];

/**
 * The real path that a relative specifier means: the file itself, the TypeScript file that will be the `.js` file of that name, or, where somebody left the ending out,
 * the first that is there.
 */
export function resolveRelative(specifier: string, from: string): string | undefined {
  const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(dirname(from), specifier);
  const extension = extname(path);
  const candidates = [path];
  if (written[extension] !== undefined) candidates.push(path.slice(0, -extension.length) + written[extension]);
  candidates.push(...guesses.map((guess) => path + guess));
  const found = candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  return found && realpathSync(found);
}

/** "zod" of "zod/v4", "@scope/name" of "@scope/name/deep". */
export function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
