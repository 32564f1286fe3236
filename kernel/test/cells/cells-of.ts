// Evaluates the cells of a notebook in this thread, as an executor does. Helper modules are in a
// folder of their own.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'vitest';
import type { CellModules } from '../../cells/cell-modules.ts';
import { CellEvaluation } from '../../cells/cell-runtime.ts';
import { CellCompiler, type CompiledCell } from '../../cells/compile.ts';
import { evaluateCell, type Evaluated } from '../../cells/evaluate.ts';
import { diskModules } from '../../cells/disk-modules.ts';
import type { Namespace } from '../../cells/module-files.ts';
import { metaOf, ModuleLoader } from '../../cells/modules.ts';
import { SourcePlaces } from '../../cells/source-places.ts';
import type { ModuleCell } from '../../cells/virtual-module.ts';
import type { KeptData } from '../../cells/kept-data.ts';
import type { UsedModules } from '../../cells/used-modules.ts';

export class TestNotebook {
  readonly folder: string;
  readonly places = new SourcePlaces();
  readonly values: Record<string, unknown> = {};
  /** The arguments of `$.variable`, per cell. */
  readonly variables = new Map<string, string[]>();
  readonly loader: ModuleLoader;
  readonly #t: TestContext;
  readonly #compiler = new CellCompiler();
  cells: ModuleCell[];
  #versions = 0;

  constructor(
    t: TestContext,
    cells: Readonly<Record<string, string>>,
    builtins: Record<string, Namespace> = {},
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-cells-'))),
  ) {
    this.#t = t;
    this.folder = folder;
    t.onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.cells = Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
    this.loader = new ModuleLoader({
      notebook: join(this.folder, 'test.sluice.ts'),
      files: diskModules(join(this.folder, 'test.sluice.ts')),
      builtins: Object.fromEntries(Object.entries(builtins).map(([name, namespace]) => [name, () => namespace])),
      places: this.places,
    });
  }

  /** The same notebook in a new thread: nothing is loaded. */
  anew(): TestNotebook {
    const cells = Object.fromEntries(this.cells.map(({ id, text }) => [id, text]));
    return new TestNotebook(this.#t, cells, {}, this.folder);
  }

  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }
  edit(id: string, text: string): void {
    this.cells = this.cells.map((cell) => (cell.id === id ? { ...cell, text } : cell));
  }

  compile(id: string): CompiledCell {
    const compilation = this.#compiler.compile(id, this.cells);
    if (!compilation.ok) throw new Error(compilation.diagnostics.map((found) => found.message).join('\n'));
    return compilation.compiled;
  }
  diagnostics(id: string) {
    const compilation = this.#compiler.compile(id, this.cells);
    return compilation.ok ? [] : compilation.diagnostics;
  }

  /** `former`: the modules with which the cell ran. */
  async run(
    id: string,
    restore?: KeptData,
    former?: UsedModules,
  ): Promise<Evaluated & { readonly kept: KeptData; readonly modules: CellModules }> {
    const compiled = this.compile(id);
    const modules = this.loader.modulesOfCell(former);
    const variables: string[] = [];
    this.variables.set(id, variables);
    const $ = new CellEvaluation({
      in: this.values,
      setVariable: (name) => variables.push(name),
      import: (...parameters) => this.loader.import(modules, ...parameters),
      later: (specifiers) => this.loader.noteLater(modules, specifiers),
      meta: metaOf(join(this.folder, 'test.sluice.ts')),
      restore,
    });
    const evaluated = await evaluateCell({ id, code: compiled.code, version: ++this.#versions }, $, this.places);
    Object.assign(this.values, evaluated.out);
    return { ...evaluated, kept: $.keptData, modules };
  }
}
