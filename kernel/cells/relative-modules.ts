// Helper modules beside a notebook: the files that it imports, directly or not.
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { isModuleSource, isRelative, resolveRelative } from './specifiers.ts';

/**
 * Real paths of the modules that the notebook imports through `specifiers`, directly or not.
 * Missing files are left out.
 */
export function relativeModules(notebook: string, specifiers: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (from: string, specifier: string): void => {
    const path = isRelative(specifier) ? resolveRelative(specifier, from) : undefined;
    if (path === undefined || found.has(path)) return;
    found.add(path);
    if (isModuleSource(path)) for (const inner of specifiersOf(readText(path))) visit(path, inner);
  };
  for (const specifier of specifiers) visit(notebook, specifier);
  return [...found];
}

/** Modules that a module imports or requires, as far as its text shows them. */
export function specifiersOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
