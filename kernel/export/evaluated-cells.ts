// Evaluates cells in this process, for what an export needs: the values of constants and the plan.
// Nothing runs: no source is opened, and no row can be read.
import { SluiceError } from '../../engine/errors/error.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { diskModules } from '../cells/disk-modules.ts';
import type { KeptData } from '../cells/kept-data.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import { type EvaluationResult, Evaluator } from '../executor/evaluation.ts';
import { notebookCompiler } from '../server/compiler.ts';
import type { Compiled } from '../session/state.ts';

export interface EvaluatedCell {
  readonly id: string;
  readonly result: EvaluationResult;
  /** Of each name that the cell declares, at its end. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A cell has thrown, or awaits rows. */
export class CellFailure extends Error {
  readonly problem: CellDiagnostic;
  constructor(problem: CellDiagnostic) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Each cell behind those that it needs. `notebook`: its absolute path. `constants`: values that are
 * known already. Error: CellFailure.
 */
export async function evaluatedCells(
  notebook: string,
  cells: readonly ModuleCell[],
  constants?: (cell: string) => KeptData | undefined,
): Promise<readonly EvaluatedCell[]> {
  const compiledById = await compiledCells(notebook, cells);
  const owner = new Map([...compiledById].flatMap(([id, { scope }]) => scope.declares.map((name) => [name, id])));
  const evaluator = new Evaluator(
    { notebook, params: {}, isJob: true, modules: diskModules(notebook), constants },
    { openPull: refusePull, lookup: () => undefined },
  );
  const found: EvaluatedCell[] = [];
  for (const id of inOrder(compiledById, owner)) {
    const { code, scope } = compiledById.get(id)!;
    const uses = scope.uses.flatMap((name) => (owner.has(name) ? [{ name, cell: owner.get(name)! }] : []));
    const { declares } = scope;
    const evaluation = evaluator.begin({ kind: 'evaluate', run: 1, cell: id, version: 1, code, declares, uses });
    try {
      const result = await evaluation.run();
      evaluator.commit(evaluation);
      found.push({ id, result, values: evaluation.values ?? {} });
    } catch (error) {
      const { code: reason, message, line = 1, column = 1, cell = id } = evaluator.locate(error, id);
      throw new CellFailure({
        ...{ cell, line, column, offset: 0, length: 0, severity: 'error' },
        code: reason === 'pull-at-export' ? reason : 'not-evaluated',
        message: `The export evaluates this cell, and it failed: ${message}`,
      });
    }
  }
  return found;
}

async function compiledCells(notebook: string, cells: readonly ModuleCell[]): Promise<ReadonlyMap<string, Compiled>> {
  const compiler = notebookCompiler(() => notebook);
  const found = new Map<string, Compiled>();
  for (const { id } of cells) {
    const compiled = await compiler.compile(cells, id);
    if ('error' in compiled) throw new SluiceError(compiled.error.code, compiled.error.message);
    found.set(id, compiled);
  }
  return found;
}

/** Definitions before their uses. */
function inOrder(cells: ReadonlyMap<string, Compiled>, owner: ReadonlyMap<string, string>): readonly string[] {
  const order = new Set<string>();
  const begun = new Set<string>();
  const visit = (id: string): void => {
    if (begun.has(id)) return;
    begun.add(id);
    for (const name of cells.get(id)!.scope.uses) {
      const other = owner.get(name);
      if (other !== undefined) visit(other);
    }
    order.add(id);
  };
  for (const id of cells.keys()) visit(id);
  return [...order];
}

function refusePull(): never {
  throw new SluiceError('pull-at-export', 'No stream runs at an export, so no rows can be read.');
}
