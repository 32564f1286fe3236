// Loads the modules that a cell imports: Sluice itself, helper modules beside the notebook, and
// packages of the notebook's folder.
//
// Helper modules are linked here, as CommonJS in scripts of our own. Node's module hooks are no
// alternative: they affect every module of this thread, they are young, and Node's registry never
// removes a module, so each edit of a helper would stay in memory. Packages are loaded by Node's
// own `import()`, which accepts ESM and CommonJS. Only their place is found here, because Node
// would search from our folder, not from the notebook's.
//
// A helper is loaded again when its content, or the content of a module that it imports, has
// changed. Then it and its importers are new instances. All other modules stay the same objects. A
// module that an `import()` names by a text counts as imported, before it is.
// Cells may need several versions of a helper at once, those with which they ran. So an instance
// stays for as long as a cell that uses it.
import { createHash } from 'node:crypto';
import { createRequire, isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { SluiceError } from '../../engine/errors/error.ts';
import { isSluiceError } from '../../engine/errors/thrown.ts';
import { closestName } from '../../engine/errors/closest-name.ts';
import { annotateLiteral } from './annotate-literal.ts';
import { CellModules } from './cell-modules.ts';
import type { ModuleFiles, ModuleSource, Namespace } from './module-files.ts';
import type { SourcePlaces } from './source-places.ts';
import { isModuleSource, isRelative } from './specifiers.ts';
import type { UsedModules } from './used-modules.ts';

export interface ModuleLoaderOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly files: ModuleFiles;
  /** `sluice` and `sluice/testing`, which the kernel provides. */
  readonly builtins: Readonly<Record<string, () => Namespace | Promise<Namespace>>>;
  readonly places: SourcePlaces;
}

/** One evaluation of one version of a module. */
interface Instance {
  readonly module: { exports: unknown };
  readonly script: string;
  readonly path: string;
  /** Of the cell that has loaded it. What it imports later comes from there, too. */
  readonly modules: CellModules;
  /** Of all cells that have it. Each keeps what it imports later. */
  readonly cells: Set<WeakRef<CellModules>>;
  ready: Promise<void>;
  /**
   * The instance that it awaits. Two instances that await each other form a circle; then one
   * continues with the exports that exist.
   */
  waitsFor: Instance | undefined;
  readonly imports: Instance[];
}
type ModuleFunction = (
  this: undefined,
  exports: unknown,
  require: (specifier: string) => unknown,
  module: { exports: unknown },
  $: object,
) => Promise<void>;

export class ModuleLoader {
  readonly #options: ModuleLoaderOptions;
  /** By hashes over their contents and those of all that they import. The cells hold them. */
  readonly #instances = new Map<string, WeakRef<Instance>>();

  constructor(options: ModuleLoaderOptions) {
    this.#options = options;
  }

  /** For one evaluation of a cell. `former`: what it used when it ran; absent: it runs now. */
  modulesOfCell(former?: UsedModules): CellModules {
    const { notebook, files, builtins } = this.#options;
    const isProvided = (specifier: string): boolean => Object.hasOwn(builtins, specifier) || isBuiltin(specifier);
    return new CellModules({ notebook, files, isProvided, former });
  }

  /** For cells. `needed` are names that the module must export. */
  async import(
    modules: CellModules,
    specifier: string,
    needed: readonly string[] = [],
    isOptional = false,
  ): Promise<Namespace> {
    let namespace: Namespace;
    try {
      namespace = await this.#load(modules, specifier, this.#options.notebook);
    } catch (error) {
      if (isOptional && isSluiceError(error) && error.code === 'missing-module') return {};
      throw error;
    }
    return withNeeded(specifier, namespace, needed);
  }

  /**
   * The cell keeps the texts that these modules have now. One that is missing or wrong is an error
   * when it is imported.
   */
  async noteLater(modules: CellModules, specifiers: readonly string[]): Promise<void> {
    for (const specifier of specifiers) await visitLater(modules, specifier, this.#options.notebook, new Map());
  }

  async #load(modules: CellModules, specifier: string, from: string, importer?: Instance): Promise<Namespace> {
    const { builtins } = this.#options;
    const builtin = Object.hasOwn(builtins, specifier) ? builtins[specifier] : undefined;
    if (builtin !== undefined) return builtin();
    if (isBuiltin(specifier)) return (await import(specifier)) as Namespace;
    if (!isRelative(specifier)) return modules.load(specifier, from);
    const path = modules.resolve(specifier, from);
    if (path === undefined) throw missingFile(specifier, from);
    if (isModuleSource(path)) return namespaceOf((await this.#instance(modules, path, importer)).module.exports);
    return namespaceOf(await modules.load(specifier, from));
  }

  // -------------------------------------------------------------------------------- helper modules

  async #instance(modules: CellModules, path: string, importer: Instance | undefined): Promise<Instance> {
    const sources = await closureOf(modules, path);
    const key = keyOf(path, sources);
    // Functions of a former instance may still run, so its places stay known.
    const instance = this.#instances.get(key)?.deref() ?? this.#start(sources.get(path)!, key, modules);
    modules.hold(key, instance);
    join(modules, instance);
    if (importer === undefined) {
      await everythingBehind(instance, new Set());
      return instance;
    }
    importer.imports.push(instance);
    for (const cell of importer.cells) {
      const other = cell.deref();
      if (other) join(other, instance);
      else importer.cells.delete(cell);
    }
    for (let waiting: Instance | undefined = instance; waiting; waiting = waiting.waitsFor)
      if (waiting === importer) return instance;
    importer.waitsFor = instance;
    try {
      await instance.ready;
    } finally {
      importer.waitsFor = undefined;
    }
    return instance;
  }

  #start(source: ModuleSource, key: string, modules: CellModules): Instance {
    const { path, code } = source;
    for (const [other, instance] of this.#instances) if (!instance.deref()) this.#instances.delete(other);
    const script = this.#options.places.addModule(path, code);
    const instance: Instance = {
      module: { exports: {} },
      script,
      path,
      modules,
      cells: new Set(),
      ready: Promise.resolve(),
      waitsFor: undefined,
      imports: [],
    };
    this.#instances.set(key, new WeakRef(instance));
    instance.ready = this.#run(source, instance).catch((error: unknown) => {
      // The next import tries again.
      if (this.#instances.get(key)?.deref() === instance) this.#instances.delete(key);
      throw error;
    });
    // Importers await `ready` and get the error. In a circle there may be no awaiter, so the
    // rejection is handled here.
    instance.ready.catch(() => undefined);
    return instance;
  }

  async #run({ path, code, specifiers }: ModuleSource, instance: Instance): Promise<void> {
    const loaded = new Map<string, unknown>();
    for (const specifier of specifiers) {
      try {
        loaded.set(specifier, await this.#required(specifier, path, instance));
      } catch (error) {
        // An import that was used for types only leaves no `require`. So a missing module is an
        // error only when it is required.
        if (!isSluiceError(error) || error.code !== 'missing-module') throw error;
        loaded.set(specifier, error);
      }
    }
    const nodeRequire = createRequire(path);
    const require = (specifier: string): unknown => {
      const found = loaded.get(specifier);
      if (isSluiceError(found)) throw found;
      return found ?? nodeRequire(specifier);
    };
    const run = vm.runInThisContext(code, { filename: instance.script }) as ModuleFunction;
    await run.call(undefined, instance.module.exports, require, instance.module, {
      fn: annotateLiteral,
      meta: metaOf(path),
      import: (specifier: string) => this.#load(instance.modules, specifier, path, instance),
    });
  }

  /**
   * The value of `require` in a compiled helper: the exports of another helper, or the namespace of
   * a package in the form that TypeScript's interop expects.
   */
  async #required(specifier: string, from: string, importer: Instance): Promise<unknown> {
    const { modules } = importer;
    const path = isRelative(specifier) ? modules.resolve(specifier, from) : undefined;
    if (path !== undefined && isModuleSource(path))
      return (await this.#instance(modules, path, importer)).module.exports;
    const namespace = await this.#load(modules, specifier, from, importer);
    return asEsModule(namespace);
  }
}

/** The file and all helpers that it imports, directly or not, at once or later. */
async function closureOf(modules: CellModules, path: string): Promise<ReadonlyMap<string, ModuleSource>> {
  const sources = new Map<string, ModuleSource>();
  await visit(modules, path, sources);
  return sources;
}
async function visit(modules: CellModules, path: string, sources: Map<string, ModuleSource>): Promise<void> {
  if (sources.has(path)) return;
  const source = await modules.source(path);
  sources.set(path, source);
  for (const specifier of source.specifiers) {
    const inner = isRelative(specifier) ? modules.resolve(specifier, path) : undefined;
    if (inner !== undefined && isModuleSource(inner)) await visit(modules, inner, sources);
  }
  for (const specifier of source.later ?? []) await visitLater(modules, specifier, path, sources);
}
/** What is missing or wrong of it is an error when it is imported. */
async function visitLater(
  modules: CellModules,
  specifier: string,
  from: string,
  sources: Map<string, ModuleSource>,
): Promise<void> {
  const path = modules.resolve(specifier, from);
  if (path === undefined || !isModuleSource(path)) return;
  try {
    await visit(modules, path, sources);
  } catch {
    // Its import tries again.
  }
}

/** The cell shares the instance, and all that it has imported so far. */
function join(modules: CellModules, instance: Instance): void {
  if (instance.cells.has(modules.reference)) return;
  instance.cells.add(modules.reference);
  modules.take(instance.path, instance.modules);
  for (const inner of instance.imports) join(modules, inner);
}

/**
 * Waits until a helper and all modules that it imports are ready. In a circle one member is ready
 * before the others, but its functions may call them.
 */
async function everythingBehind(instance: Instance, seen: Set<Instance>): Promise<void> {
  if (seen.has(instance)) return;
  seen.add(instance);
  await instance.ready;
  for (const other of instance.imports) await everythingBehind(other, seen);
}

export function metaOf(path: string): ImportMeta {
  const url = pathToFileURL(path).href;
  return {
    url,
    filename: path,
    dirname: dirname(path),
    main: false,
    resolve: (specifier: string) => resolvePackage(specifier, url),
  };
}

function keyOf(path: string, sources: ReadonlyMap<string, ModuleSource>): string {
  const lines = [...sources.values()].map((source) => `${source.path} ${source.hash}`).sort();
  return createHash('sha256')
    .update([path, ...lines].join('\n'))
    .digest('base64url');
}

function missingFile(specifier: string, from: string): SluiceError {
  return new SluiceError('missing-module', `Cannot find "${specifier}" from ${dirname(from)}.`, { specifier });
}

// -------------------------------------------------------------------------------------- namespaces

/** `module.exports` in the form of `import * as`. */
function namespaceOf(exports: unknown): Namespace {
  if (exports !== null && typeof exports === 'object' && '__esModule' in exports) return exports;
  const fields = exports !== null && typeof exports === 'object' ? exports : {};
  return { ...fields, default: exports };
}

function asEsModule(namespace: Namespace): Namespace {
  if ('__esModule' in namespace) return namespace;
  const names = Object.keys(namespace).map((name) => [name, { enumerable: true, get: () => namespace[name] }] as const);
  return Object.defineProperties({}, { ...Object.fromEntries(names), __esModule: { value: true } });
}

/**
 * Some CommonJS modules export names only through their default export, so missing names are
 * searched there. The error for an absent name proposes the closest one.
 */
function withNeeded(specifier: string, namespace: Namespace, needed: readonly string[]): Namespace {
  const absent = needed.filter((name) => !(name in namespace));
  if (absent.length === 0) return namespace;
  const whole = namespace['default'];
  const fields = whole !== null && (typeof whole === 'object' || typeof whole === 'function') ? whole : {};
  const missing = absent.find((name) => !(name in fields));
  if (missing === undefined)
    return { ...namespace, ...Object.fromEntries(absent.map((name) => [name, (fields as Namespace)[name]])) };
  const closest = closestName(missing, Object.keys(namespace));
  throw new SluiceError(
    'missing-export',
    `"${specifier}" has no export "${missing}".${closest === undefined ? '' : ` Closest: "${closest}".`}`,
    { specifier, name: missing },
  );
}
