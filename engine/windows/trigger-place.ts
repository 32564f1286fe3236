// Where a trigger runs: the window operator's window, the operator's name for errors, and how it finds the user's functions.
import type { FunctionRef } from '../graph/spec.ts';
import type { WindowSpec } from '../graph/window-spec.ts';

export interface TriggerPlace {
  readonly window: WindowSpec;
  readonly resolve: (fn: FunctionRef) => (...given: never[]) => unknown;
  /** The operator's, for errors. */
  readonly name: string;
  readonly freeze: boolean;
}
