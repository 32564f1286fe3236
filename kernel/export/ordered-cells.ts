// The cells of an export, compiled, in the order in which they are evaluated. A thread without a
// compiler can evaluate them.
import { SluiceError } from '../../engine/errors/error.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import type { EvaluateCommand } from '../executor/executor-protocol.ts';
import { notebookCompiler } from '../server/compiler.ts';
import type { Compiled } from '../session/state.ts';

export type OrderedCell = Pick<EvaluateCommand, 'cell' | 'code' | 'declares' | 'uses'>;

/** Each cell behind those that it needs. `notebook`: its absolute path. */
export async function orderedCells(notebook: string, cells: readonly ModuleCell[]): Promise<readonly OrderedCell[]> {
  const compiledById = await compiledCells(notebook, cells);
  const owner = new Map([...compiledById].flatMap(([id, { scope }]) => scope.declares.map((name) => [name, id])));
  return inOrder(compiledById, owner).map((cell) => {
    const { code, scope } = compiledById.get(cell)!;
    const uses = scope.uses.flatMap((name) => (owner.has(name) ? [{ name, cell: owner.get(name)! }] : []));
    return { cell, code, declares: scope.declares, uses };
  });
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
