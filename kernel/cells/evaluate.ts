// Runs a compiled cell: a script in this thread's own realm, so that an Array made in a cell is an Array everywhere.
import vm from 'node:vm';
import type { CellRuntime } from './cell-runtime.ts';
import type { SourcePlaces } from './source-places.ts';

export interface CompiledScript {
  readonly id: string;
  readonly code: string;
  /** Counts the texts of the cell that were run. */
  readonly version: number;
}
export interface Evaluated {
  /** Value of each name the cell declares; of a `let`, what it is at the end. */
  readonly out: Readonly<Record<string, unknown>>;
  /** Value of the last expression; undefined when the cell ends otherwise. */
  readonly last: unknown;
}
type CellFunction = (this: undefined, $: CellRuntime) => Promise<Record<string, unknown>>;

/** What the cell throws is thrown on; `places.locate(error)` says where it was. */
export async function evaluateCell(
  { id, code, version }: CompiledScript,
  $: CellRuntime,
  places: SourcePlaces,
): Promise<Evaluated> {
  const filename = places.addCell(id, version, code);
  const run = vm.runInThisContext(code, { filename }) as CellFunction;
  const out = await run.call(undefined, $);
  return { out, last: $.last };
}
