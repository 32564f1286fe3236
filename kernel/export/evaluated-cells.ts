// Evaluates cells in this process, for what an export needs: the values of constants and the plan.
// Nothing runs: no source is opened, and no row can be read.
import { SluiceError } from '../../engine/errors/error.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { diskModules } from '../cells/disk-modules.ts';
import type { KeptData } from '../cells/kept-data.ts';
import { type EvaluationResult, Evaluator } from '../executor/evaluation.ts';
import type { OrderedCell } from './ordered-cells.ts';

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

export interface EvaluationOptions {
  /** Values that are known already. */
  readonly constants?: (cell: string) => KeptData | undefined;
  /** A statement begins. `names`: the variables that it defines, behind commas. */
  readonly begins?: (cell: string, names: string) => void;
}

/** Error: CellFailure. */
export async function evaluatedCells(
  notebook: string,
  cells: readonly OrderedCell[],
  { constants, begins }: EvaluationOptions = {},
): Promise<readonly EvaluatedCell[]> {
  const evaluator = new Evaluator(
    { notebook, params: {}, isJob: true, modules: diskModules(notebook), constants, begins },
    { openPull: refusePull, lookup: () => undefined },
  );
  const found: EvaluatedCell[] = [];
  for (const ordered of cells) {
    const id = ordered.cell;
    const evaluation = evaluator.begin({ kind: 'evaluate', run: 1, version: 1, ...ordered });
    begins?.(id, '');
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

function refusePull(): never {
  throw new SluiceError('pull-at-export', 'No stream runs at an export, so no rows can be read.');
}
