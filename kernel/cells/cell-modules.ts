// The modules of one evaluation of a cell: those that it used when it ran, and otherwise those of
// the disk. It notes what it gives, so that the next evaluation after a restart gets the same.
//
//   loader ──► CellModules ──► used when the cell ran (a restart only)
//                   │     └──► disk of the notebook, or the data of an exported job
//                   └─ used ──► the session keeps it with the cell
import { dirname, relative, resolve, sep } from 'node:path';
import type { ModuleFiles, ModuleSource, Namespace } from './module-files.ts';
import { isModuleSource, isRelative, packageName } from './specifiers.ts';
import { type ModuleNews, noModules, type UsedModule, type UsedModules, type UsedPackage } from './used-modules.ts';

export interface CellModulesOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly files: ModuleFiles;
  /** A module of Sluice or of Node. */
  readonly isProvided: (specifier: string) => boolean;
  /** What the cell used when it ran. Absent: it runs now. */
  readonly former?: UsedModules | undefined;
}

export class CellModules implements ModuleFiles {
  readonly #options: CellModulesOptions;
  readonly #former: UsedModules;
  readonly #sources = new Map<string, ModuleSource>();
  /** Importing file → its relative specifiers → paths. */
  readonly #resolved = new Map<string, Map<string, string>>();
  readonly #packages = new Map<string, UsedPackage>();
  /** By their keys. What the cell has loaded lives as long as the cell. */
  readonly #held = new Map<string, object>();
  readonly reference = new WeakRef(this);
  /** Called when a callback has imported one more. */
  onMore: (() => void) | undefined;

  constructor(options: CellModulesOptions) {
    this.#options = options;
    this.#former = options.former ?? noModules;
    for (const one of this.#former.packages) this.#packages.set(keyOf(one), one);
  }

  /** An instance of a module, for as long as the cell runs with it. */
  hold(key: string, instance: object): void {
    this.#held.set(key, instance);
  }

  resolve(specifier: string, from: string): string | undefined {
    const { notebook, files } = this.#options;
    const known = this.#resolvedBy(from);
    const path = known.get(specifier) ?? files.resolve(specifier, from);
    if (path !== undefined) known.set(specifier, path);
    if (path !== undefined && from === notebook) this.#noteFile(specifier, path);
    return path;
  }

  async source(path: string): Promise<ModuleSource> {
    const known = this.#sources.get(path);
    if (known) return known;
    const name = this.#nameOf(path);
    const former = this.#former.modules.find((module) => module.path === name);
    const source = former ? sourceOf(former, path) : await this.#options.files.source(path);
    // Two imports may have waited for the disk. The cell gets one text.
    return this.#sources.get(path) ?? this.#note(source);
  }
  #note(source: ModuleSource): ModuleSource {
    const { path, specifiers, later = [] } = source;
    this.#sources.set(path, source);
    for (const specifier of specifiers) this.#noteImport(specifier, path);
    for (const specifier of later) this.resolve(specifier, path);
    this.onMore?.();
    return source;
  }
  /**
   * Another cell has loaded a module for an instance that this cell shares. A module of which this
   * cell has a text already keeps that one.
   */
  take(path: string, other: CellModules): void {
    const source = other.#sources.get(path);
    if (!source || this.#sources.has(path)) return;
    for (const [specifier, resolved] of other.#resolvedBy(path)) this.#resolvedBy(path).set(specifier, resolved);
    this.#note(source);
  }

  async load(specifier: string, from: string): Promise<Namespace> {
    const namespace = await this.#options.files.load(specifier, from);
    if (this.#notePackage(specifier, from)) this.onMore?.();
    return namespace;
  }

  versionOf(specifier: string, from: string): string | undefined {
    return this.#options.files.versionOf(specifier, from);
  }

  /** Absolute paths of the modules of `used` that it has asked for so far. */
  get paths(): readonly string[] {
    return [...this.#sources.keys()];
  }
  /** So far. undefined: none. */
  get used(): UsedModules | undefined {
    const { notebook } = this.#options;
    const modules = [...this.#sources].map(([path, { hash, code, specifiers, later = [] }]): UsedModule => ({
      path: this.#nameOf(path),
      ...{ hash, code: new TextEncoder().encode(code), specifiers, resolved: this.#namesFrom(path) },
      ...(later.length > 0 && { later }),
    }));
    // A module that only a callback imports is not imported again by the evaluation.
    const names = new Set(modules.map(({ path }) => path));
    modules.push(...this.#former.modules.filter(({ path }) => !names.has(path)));
    const packages = [...this.#packages.values()];
    if (modules.length + packages.length === 0) return undefined;
    return { resolved: this.#namesFrom(notebook), modules, packages };
  }

  // ----------------------------------------------------------------------------------------- notes

  #resolvedBy(from: string): Map<string, string> {
    let known = this.#resolved.get(from);
    if (!known) this.#resolved.set(from, (known = new Map(this.#formerResolved(from))));
    return known;
  }
  #formerResolved(from: string): (readonly [string, string])[] {
    const { notebook } = this.#options;
    const name = this.#nameOf(from);
    const names =
      from === notebook ? this.#former.resolved : this.#former.modules.find(({ path }) => path === name)?.resolved;
    return Object.entries(names ?? {}).map(([specifier, path]) => [specifier, pathOf(notebook, path)]);
  }
  #namesFrom(from: string): Record<string, string> {
    return Object.fromEntries([...this.#resolvedBy(from)].map(([specifier, path]) => [specifier, this.#nameOf(path)]));
  }
  #nameOf(path: string): string {
    return relative(dirname(this.#options.notebook), path).replaceAll(sep, '/');
  }

  /** What another cell has loaded is not loaded again, so a package is noted where it is named. */
  #noteImport(specifier: string, from: string): void {
    if (!isRelative(specifier)) return void this.#notePackage(specifier, from);
    const path = this.resolve(specifier, from);
    if (path !== undefined) this.#noteFile(specifier, path, from);
  }
  #noteFile(specifier: string, path: string, from = this.#options.notebook): void {
    if (!isModuleSource(path)) this.#notePackage(specifier, from);
  }
  /** True: it is a new one. */
  #notePackage(specifier: string, from: string): boolean {
    if (this.#options.isProvided(specifier)) return false;
    const place = { specifier, from: this.#nameOf(from) };
    if (this.#packages.has(keyOf(place))) return false;
    const version = this.#options.files.versionOf(specifier, from);
    if (version === undefined) return false;
    const path = isRelative(specifier) ? this.#options.files.resolve(specifier, from) : undefined;
    const name = path === undefined ? packageName(specifier) : this.#nameOf(path);
    this.#packages.set(keyOf(place), { ...place, name, version });
    return true;
  }
}

function keyOf({ specifier, from }: Pick<UsedPackage, 'specifier' | 'from'>): string {
  return `${specifier}\0${from}`;
}
function pathOf(notebook: string, name: string): string {
  return resolve(dirname(notebook), name);
}
function sourceOf({ hash, code, specifiers, later = [] }: UsedModule, path: string): ModuleSource {
  return { path, hash, code: new TextDecoder().decode(code), specifiers, later };
}

/** What has changed since a cell ran. */
export async function moduleNews(used: UsedModules, notebook: string, files: ModuleFiles): Promise<ModuleNews> {
  const changed = [];
  for (const { path: name, hash } of used.modules) {
    const path = pathOf(notebook, name);
    if ((await hashOf(path, files)) !== hash) changed.push({ name, path });
  }
  const packages = used.packages.flatMap(({ specifier, from, name, version: former }) => {
    const now = files.versionOf(specifier, pathOf(notebook, from));
    // Without it the cell fails, and its error says what is missing.
    if (now === undefined || now === former) return [];
    return [{ name, versions: isRelative(specifier) ? undefined : { former, now } }];
  });
  return { files: changed, packages };
}
/** undefined: it is gone, or it cannot be compiled. */
async function hashOf(path: string, files: ModuleFiles): Promise<string | undefined> {
  try {
    return (await files.source(path)).hash;
  } catch {
    return undefined;
  }
}
