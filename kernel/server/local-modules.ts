// The user's own modules behind a cell's relative imports, those that they import included: when one changes, the cell is out of date.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

/** A module may be written without its ending where a loader guesses it, and with that of the compiled file. */
const endings = ['', '.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];

export function localModules(folder: string, specifiers: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const visit = (from: string, specifier: string): void => {
    const path = /^\.{1,2}(\/|$)/.test(specifier) ? existing(resolve(from, specifier)) : undefined;
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
    for (const { fileName } of importedFiles) visit(dirname(path), fileName);
  };
  for (const specifier of specifiers) visit(folder, specifier);
  return [...found];
}

function existing(path: string): string | undefined {
  for (const candidate of [...endings.map((ending) => path + ending), path.replace(/\.js$/, '.ts')])
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return realpathSync(candidate);
  return undefined;
}
