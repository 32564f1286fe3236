// Where the problems of an export stand: in a cell, also if the text that has the problem is in a
// module of the user's.
import { basename } from 'node:path';
import type ts from 'typescript';
import { type CellDiagnostic, diagnostic } from '../cells/compile.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { withModules } from './module-definitions.ts';
import type { Statement } from './statements.ts';

export type Problem = Pick<CellDiagnostic, 'code' | 'message'> & Partial<Pick<CellDiagnostic, 'severity'>>;

/** `offset`: in the module. */
export function atPlace(
  { module }: TypedModule,
  { offset, length, code, message, severity }: Problem & { readonly offset: number; readonly length: number },
): CellDiagnostic {
  const range = module.rangeToCell(offset, length)!;
  const place = { offset: range.start, length: range.end - range.start, code, message, ...(severity && { severity }) };
  return diagnostic(module.cells[range.cell]!.id, module.lines(range.cell), place);
}

/**
 * At the node. A node of a module: at the statement of the cell that brings it into the job, and
 * the message names the file. `running`: the statements of the job.
 */
export function atNode(
  typed: TypedModule,
  running: readonly Statement[],
  node: ts.Node,
  problem: Problem,
): CellDiagnostic {
  const file = node.getSourceFile();
  if (file === typed.source) return atPlace(typed, { offset: node.getStart(), length: node.getWidth(), ...problem });
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  const message = `${basename(file.fileName)}:${line + 1}: ${problem.message}`;
  const statement = running.find((one) => reaches(one, node, typed)) ?? running[0];
  if (!statement) return { cell: '', severity: 'error', offset: 0, length: 0, line: 1, column: 1, ...problem, message };
  const [firstLine = ''] = statement.node.getText().split(/\r?\n/, 1);
  return atPlace(typed, { offset: statement.start, length: firstLine.length, ...problem, message });
}

/** It names, directly or through other modules, the statement that has the node. */
function reaches({ node: root }: Statement, node: ts.Node, typed: TypedModule): boolean {
  const found = withModules([root], typed);
  for (let around = node; around; around = around.parent) if (found.has(around)) return true;
  return false;
}
