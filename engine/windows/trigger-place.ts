// The surroundings of a trigger: the operator's window and name, and the user's functions.
import type { FunctionRef } from '../graph/spec.ts';
import type { WindowSpec } from '../graph/window-spec.ts';

export interface TriggerPlace {
  readonly window: WindowSpec;
  readonly resolve: (fn: FunctionRef) => (...given: never[]) => unknown;
  /** The operator's name, for errors. */
  readonly name: string;
  readonly freeze: boolean;
}
