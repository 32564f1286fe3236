// Runs a compiled cell as a script in the realm of this thread, so that an array made in a cell is
// an instance of `Array` everywhere.
import vm from 'node:vm';
import type { CellRuntime } from './cell-runtime.ts';
import type { SourcePlaces } from './source-places.ts';

export interface CompiledScript {
  readonly id: string;
  readonly code: string;
  /** Counts the texts with which the cell has run. */
  readonly version: number;
}
export interface Evaluated {
  /** Value of each name that the cell declares; for a `let`, its value at the end. */
  readonly out: Readonly<Record<string, unknown>>;
  /** Value of the last expression; undefined when the cell ends otherwise. */
  readonly last: unknown;
}
type CellFunction = (this: undefined, $: CellRuntime) => Promise<Record<string, unknown>>;

/** Rethrows an error of the cell unchanged. `places.locate(error)` gives its place. */
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
