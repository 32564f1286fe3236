// The kinds of import specifiers: a module of Sluice, a file beside the notebook, or a package.
import { realpathSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const isRelative = (specifier: string): boolean =>
  /^\.{1,2}(\/|$)/.test(specifier) || isAbsolute(specifier) || specifier.startsWith('file:');

/**
 * Sluice compiles these files and loads them again when they change. Node loads other files beside
 * the notebook (`.cjs`, `.node`, `.wasm`).
 */
export const isModuleSource = (path: string): boolean =>
  ['.ts', '.mts', '.js', '.mjs', '.json'].includes(extname(path));

const written: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };
const guesses = ['.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];

/**
 * The real path of a relative specifier. It is the file itself, or the TypeScript file that
 * compiles to the `.js` file of that name. A specifier without an extension means the first
 * candidate that exists.
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
