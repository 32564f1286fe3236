// The present row of a key in a table that runs. Tables without a state of their own (map, filter) ask the one above and do with its row what they do with each.
import { canReadAgain } from '../graph/lineage.ts';
import type { FunctionRef, FunctionTable } from '../graph/plan.ts';
import { rowOrNone } from '../operators/change.ts';
import type { Runtime } from './runtime.ts';

/** An operator that knows the present row of each key. */
export interface Lookup {
  lookup(key: readonly unknown[]): unknown;
}
export interface PresentRow {
  /** undefined: the table has none. */
  readonly row: unknown;
  /** Reading the input to its end would not tell more: it has ended, or it cannot be read again. */
  readonly isBest: boolean;
}

/** `id` is the instance that gives the table's changes; undefined when it does not run. */
export function lookupRow(
  runtime: Runtime,
  functions: FunctionTable,
  id: string,
  key: readonly unknown[],
): PresentRow | undefined {
  const node = runtime.plan.nodes.find((one) => one.id === id);
  if (node?.kind === 'table-map' || node?.kind === 'table-filter') {
    const above = runtime.plan.edges.find((edge) => edge.to === id);
    const found = above && lookupRow(runtime, functions, above.from, key);
    if (found?.row === undefined) return found;
    const f = functions.get<(row: unknown) => unknown>(node.parameters['fn'] as unknown as FunctionRef);
    const given = f(found.row);
    return { ...found, row: node.kind === 'table-map' ? rowOrNone(given) : given ? found.row : undefined };
  }
  const task = runtime.tasks.get(id);
  const operator = task?.operator;
  if (!operator || !('lookup' in operator)) return undefined;
  const isBest = task.status === 'ended' || !canReadAgain(runtime.plan, id);
  return { row: (operator as unknown as Lookup).lookup(key), isBest };
}
