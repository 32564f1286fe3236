// The constants whose values an export writes into the job, and the statements that define them. An
// export evaluates only these: no source, no sink and no display.
import type { TypedModule } from '../cells/language-service.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import type { CapturedValue } from './captured-values.ts';
import { DependenceFinder } from './dependence.ts';
import { prunedCells } from './pruned-cells.ts';
import type { Statement } from './statements.ts';

export interface CapturedConstant {
  readonly name: string;
  /** The id of its cell. */
  readonly cell: string;
  /** Where a function captures it. */
  readonly place: Pick<CellDiagnostic, 'cell' | 'offset' | 'length' | 'line' | 'column'>;
}
export interface Constants {
  /** Texts with the definitions alone, each at its place. */
  readonly cells: readonly ModuleCell[];
  readonly captured: readonly CapturedConstant[];
}

/** `running`: the statements of the job; `statements`: all of the notebook. */
export function constantsOf(
  captured: readonly CapturedValue[],
  running: readonly Statement[],
  statements: readonly Statement[],
  typed: TypedModule,
  placeOf: (value: CapturedValue) => CapturedConstant['place'],
): Constants {
  const constants = captured.filter(
    ({ kind, dependences }) => kind === 'constant' && !dependences.isOfStart && !dependences.changer,
  );
  const finder = new DependenceFinder(running, typed);
  const needed = new Set(constants.flatMap(({ declared }) => [...finder.reach(declared)]));
  const kept = statements.filter((one) => needed.has(one)).map((statement) => ({ statement, because: '' }));
  const dropped = statements
    .filter((one) => !needed.has(one))
    .map((statement) => ({ statement, reason: 'definition' as const }));
  return {
    cells: prunedCells({ kept, dropped, sinks: [] }, new Set(), typed),
    captured: constants.map((value) => ({ name: value.name, cell: value.cell, place: placeOf(value) })),
  };
}
