// The values of a job's constants, evaluated once, at the export. The job has these values and
// evaluates their definitions no more.
import { messageOf } from '../../engine/errors/thrown.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { constantText } from '../cells/constant-text.ts';
import { copyData } from '../cells/plain-data.ts';
import { CellFailure, type EvaluatedCell, evaluatedCells } from './evaluated-cells.ts';
import type { OrderedCell } from './ordered-cells.ts';
import type { Constants } from './constants.ts';
import { liveMessage, notData } from './not-data.ts';

export interface ConstantValues {
  /** Cell → its variables by key, as `$.put` knows them, each value as a text. */
  readonly byCell: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** The captured names, as they are at the end of their cells. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly CellDiagnostic[];
}

/** Of one value in the job. */
export const mostBytes = 4_000_000;

/** What is wrong with a constant. Where it is captured may move. */
export interface ConstantFault {
  readonly cell: string;
  /** Absent: the cell has failed. */
  readonly name?: string;
  readonly problem: CellDiagnostic;
}

/** At the place where a function captures the constant. */
export function placedFault({ cell, name, problem }: ConstantFault, captured: Constants['captured']): CellDiagnostic {
  const found = captured.find((one) => one.cell === cell && one.name === name);
  return { ...problem, ...found?.place };
}

export type EvaluatedConstants = Omit<ConstantValues, 'problems'> & { readonly faults: readonly ConstantFault[] };

/** `notebook`: its absolute path. It runs code of the notebook in this thread. */
export async function constantsOfCells(
  notebook: string,
  { cells, captured }: { readonly cells: readonly OrderedCell[]; readonly captured: Constants['captured'] },
  begins?: (cell: string, names: string) => void,
): Promise<EvaluatedConstants> {
  let evaluated: readonly EvaluatedCell[];
  try {
    evaluated = await evaluatedCells(notebook, cells, { begins });
  } catch (error) {
    if (!(error instanceof CellFailure)) throw error;
    return { byCell: new Map(), values: new Map(), faults: [{ cell: error.problem.cell, problem: error.problem }] };
  }
  const values = new Map<string, unknown>();
  const faults: ConstantFault[] = [];
  const byCell = new Map(
    evaluated.map(({ id, result }) => {
      const texts = Object.entries(result.kept.values).flatMap(([key, value]) => {
        // Values of other cells and of single awaits: their own variables have them.
        if (key.includes('#')) return [];
        const text = textOf(value);
        if (typeof text !== 'string') {
          faults.push(faultOf(id, key, 'captured-too-deep', tooDeep(key, id, text.reason)));
          return [];
        }
        const bytes = (text.length * 3) / 4;
        if (bytes <= mostBytes) return [[key, text] as const];
        faults.push(faultOf(id, key, 'captured-too-large', tooLarge(key, id, bytes)));
        return [];
      });
      return [id, Object.fromEntries(texts)] as const;
    }),
  );
  const cellById = new Map(evaluated.map((cell) => [cell.id, cell]));
  for (const { name, cell } of captured) {
    const value = cellById.get(cell)?.values[name];
    const copy = copyData(value);
    const what = copy.isData ? undefined : notData(value);
    if (copy.isData) values.set(name, copy.value);
    if (what !== undefined) faults.push(faultOf(cell, name, 'captured-live', liveMessage(name, cell, what)));
  }
  return { byCell, values, faults };
}

/** Not all data can be written: a value may contain itself. */
function textOf(value: unknown): string | { readonly reason: string } {
  try {
    return constantText(value);
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
function tooDeep(name: string, cell: string, reason: string): string {
  return `${name} of cell "${cell}" cannot go into a job. ${reason}`;
}
function tooLarge(name: string, cell: string, bytes: number): string {
  return `${name} of cell "${cell}" takes ${(bytes / 1e6).toFixed(1)} MB in a job, and the limit is ${mostBytes / 1e6} MB. Read it from a topic or a file when the job runs.`;
}
function faultOf(cell: string, name: string, code: string, message: string): ConstantFault {
  return {
    ...{ cell, name },
    problem: { cell, severity: 'error', offset: 0, length: 0, line: 1, column: 1, code, message },
  };
}
