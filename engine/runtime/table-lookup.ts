// The present rows of a table that runs: the row of a key, or all of them. Tables without a state
// of their own (map, filter) take the rows of the table above and apply their function.
import { derivesRows, groupsTable } from '../graph/kinds.ts';
import { canReadAgain } from '../graph/lineage.ts';
import type { FunctionTable, Plan } from '../graph/plan.ts';
import type { Change } from '../tables/change.ts';
import { groupInserts } from '../tables/table-group.ts';
import { rowMaker } from '../tables/table-map.ts';
import type { Batch } from '../contract/operator.ts';
import type { Task } from './task.ts';

/** An operator that keeps the rows of its table. */
export interface Lookup {
  lookup(key: readonly unknown[]): unknown;
  eachRow(visit: (key: readonly unknown[], row: unknown, time: number) => void): void;
}
export interface PresentRow {
  /** undefined: the table has none. */
  readonly row: unknown;
  /**
   * Reading the input to its end would give no newer row: it has ended, or it cannot be read again.
   */
  readonly isBest: boolean;
}
/** The part of the runtime that a lookup reads. */
interface Running {
  readonly plan: Plan;
  readonly tasks: ReadonlyMap<string, Task>;
}

/** `id` is the instance that gives the table's changes; undefined when it does not run. */
export function lookupRow(
  runtime: Running,
  functions: FunctionTable,
  id: string,
  key: readonly unknown[],
): PresentRow | undefined {
  const derived = derivation(runtime, functions, id);
  if (derived) {
    const found = lookupRow(runtime, functions, derived.above, key);
    return found?.row === undefined ? found : { ...found, row: derived.apply(found.row) };
  }
  const kept = keeperOf(runtime, id);
  if (!kept) return undefined;
  const isBest = runtime.tasks.get(id)!.status === 'ended' || !canReadAgain(runtime.plan, id);
  return { row: kept.lookup(key), isBest };
}

/**
 * All rows of the table in batches, as changes for a reader that comes now. None: it is no table,
 * or it is empty.
 */
export function contentOf(runtime: Running, functions: FunctionTable, id: string): readonly Batch[] {
  const changes: Change[] = [];
  const times: number[] = [];
  const node = runtime.plan.nodes.find((one) => one.id === id);
  const group = node && groupsTable(node) ? node : undefined;
  const insert = group
    ? groupInserts(group, functions)
    : (key: readonly unknown[], row: unknown): Change => ({ key, row, old: undefined });
  eachRow(runtime, functions, group ? aboveOf(runtime, id) : id, (key, row, time) => {
    changes.push(insert(key, row));
    times.push(time);
  });
  const batches: Batch[] = [];
  for (let at = 0; at < changes.length; at += rowsOfBatch) {
    const values = changes.slice(at, at + rowsOfBatch);
    const timestamps = Float64Array.from(times.slice(at, at + rowsOfBatch));
    batches.push({ length: values.length, values, timestamps, isContent: true });
  }
  return batches;
}
const rowsOfBatch = 512;

function eachRow(
  runtime: Running,
  functions: FunctionTable,
  id: string,
  visit: Parameters<Lookup['eachRow']>[0],
): void {
  const derived = derivation(runtime, functions, id);
  if (!derived) return keeperOf(runtime, id)?.eachRow(visit);
  eachRow(runtime, functions, derived.above, (key, given, time) => {
    const row = derived.apply(given);
    if (row !== undefined) visit(key, row, time);
  });
}

/** For a table that keeps nothing: the table that it is made from, and its function. */
function derivation(
  { plan }: Running,
  functions: FunctionTable,
  id: string,
): { readonly above: string; readonly apply: (row: unknown) => unknown } | undefined {
  const node = plan.nodes.find((one) => one.id === id);
  if (!node || !derivesRows(node)) return undefined;
  return { above: aboveOf({ plan }, id), apply: rowMaker(node, functions) };
}
function aboveOf({ plan }: Pick<Running, 'plan'>, id: string): string {
  return plan.edges.find((edge) => edge.to === id)?.from ?? '';
}
function keeperOf({ tasks }: Running, id: string): Lookup | undefined {
  const operator = tasks.get(id)?.operator;
  return operator && 'eachRow' in operator ? (operator as unknown as Lookup) : undefined;
}
