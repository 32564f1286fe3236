// The notebook as TypeScript's language service sees it: one file at the notebook's own path with
// the text of the virtual module.
// All other files come from disk.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { LibraryFiles } from './library-files.ts';

/**
 * Declarations for a folder without @types/node. Modules of Node are typed `any`, and Node's
 * globals exist.
 */
const nodeFile = '/sluice-node-globals.d.ts';
const nodeText = `declare module 'node:*';
declare var process: any;
declare var Buffer: any;
declare var global: typeof globalThis;
declare function setImmediate(callback: (...args: any[]) => void, ...args: any[]): any;
declare function clearImmediate(handle: any): void;
interface ImportMeta { readonly filename: string; readonly dirname: string; readonly url: string; resolve(specifier: string): string }
`;

export class NotebookHost implements ts.LanguageServiceHost {
  readonly notebook: string;
  readonly libraries: LibraryFiles;
  readonly #nodeTypes: readonly string[];
  readonly #options: ts.CompilerOptions;
  #snapshot = new DiffableSnapshot('', undefined);
  #version = 0;

  constructor(notebook: string, libraries: LibraryFiles) {
    this.notebook = notebook;
    this.libraries = libraries;
    const hasNodeTypes = foldersUp(notebook).some((folder) => existsSync(join(folder, 'node_modules/@types/node')));
    this.#nodeTypes = hasNodeTypes ? [] : [nodeFile];
    this.#options = compilerOptions(libraries);
  }

  /** The declarations of browser globals, some of which Node has too. */
  get browserFile(): string {
    return join(this.libraries.libFolder, 'lib.dom.d.ts');
  }

  setText(text: string): void {
    if (text === this.#snapshot.text) return;
    this.#snapshot = new DiffableSnapshot(text, this.#snapshot);
    this.#version++;
  }

  getCompilationSettings(): ts.CompilerOptions {
    return this.#options;
  }
  getScriptFileNames(): string[] {
    // The package's declarations are always in the program, so that its names are offered without
    // an import.
    // Files in .sluice may come while the notebook is open.
    return [this.notebook, this.libraries.sluice, ...ownDeclarations(this.notebook), ...this.#nodeTypes];
  }
  getScriptVersion(file: string): string {
    if (file === this.notebook) return String(this.#version);
    if (file === nodeFile || file.startsWith(this.libraries.libFolder)) return '1';
    return String(ts.sys.getModifiedTime?.(file)?.getTime() ?? 0);
  }
  getScriptSnapshot(file: string): ts.IScriptSnapshot | undefined {
    if (file === this.notebook) return this.#snapshot;
    const text = this.readFile(file);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  }
  getScriptKind(file: string): ts.ScriptKind {
    return file === this.notebook || /\.[cm]?ts$/.test(file)
      ? ts.ScriptKind.TS
      : file.endsWith('.json')
        ? ts.ScriptKind.JSON
        : ts.ScriptKind.JS;
  }
  getCurrentDirectory(): string {
    return dirname(this.notebook);
  }
  getDefaultLibFileName(): string {
    return join(this.libraries.libFolder, 'lib.d.ts');
  }
  useCaseSensitiveFileNames(): boolean {
    return ts.sys.useCaseSensitiveFileNames;
  }
  fileExists(file: string): boolean {
    return file === this.notebook || file === nodeFile || ts.sys.fileExists(file);
  }
  readFile(file: string): string | undefined {
    return file === nodeFile ? nodeText : ts.sys.readFile(file);
  }
  readDirectory(...parameters: Parameters<typeof ts.sys.readDirectory>): string[] {
    return ts.sys.readDirectory(...parameters);
  }
  directoryExists(folder: string): boolean {
    return ts.sys.directoryExists(folder);
  }
  getDirectories(folder: string): string[] {
    return ts.sys.getDirectories(folder);
  }
  realpath(path: string): string {
    return ts.sys.realpath?.(path) ?? path;
  }
}

/**
 * `tsc --strict`, and in addition what cells may use: `await` at the top level, and relative
 * imports with or without an extension.
 */
function compilerOptions({ sluice, testing }: LibraryFiles): ts.CompilerOptions {
  return {
    strict: true,
    target: ts.ScriptTarget.ESNext,
    lib: ['lib.es2024.d.ts', 'lib.esnext.iterator.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    esModuleInterop: true,
    allowJs: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['*'],
    paths: { sluice: [sluice], 'sluice/testing': [testing] },
  };
}

/**
 * `.sluice/*.d.ts` in the notebook's folder and in the folders above: row types of topics.
 * `sluice.d.ts`, which "Set Up This Folder" writes, is left out, because the host has the original.
 */
function ownDeclarations(notebook: string): string[] {
  return foldersUp(notebook).flatMap((folder) => {
    try {
      return readdirSync(join(folder, '.sluice'))
        .filter((name) => name.endsWith('.d.ts') && name !== 'sluice.d.ts')
        .map((name) => join(folder, '.sluice', name));
    } catch {
      return [];
    }
  });
}

function foldersUp(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersUp(folder)];
}

/**
 * A snapshot that knows the change since the former text, so that TypeScript parses only the
 * changed part again.
 */
class DiffableSnapshot implements ts.IScriptSnapshot {
  readonly text: string;
  readonly #former: DiffableSnapshot | undefined;
  readonly #change: ts.TextChangeRange | undefined;

  constructor(text: string, former: DiffableSnapshot | undefined) {
    this.text = text;
    this.#former = former && new DiffableSnapshot(former.text, undefined);
    this.#change = former && changeBetween(former.text, text);
  }
  getText(start: number, end: number): string {
    return this.text.slice(start, end);
  }
  getLength(): number {
    return this.text.length;
  }
  getChangeRange(old: ts.IScriptSnapshot): ts.TextChangeRange | undefined {
    return old instanceof DiffableSnapshot && old.text === this.#former?.text ? this.#change : undefined;
  }
}

function changeBetween(before: string, after: string): ts.TextChangeRange {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { span: { start, length: before.length - start - end }, newLength: after.length - start - end };
}
