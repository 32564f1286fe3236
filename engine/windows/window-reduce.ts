// window(…).reduce: folds the elements of a key and window into one element, and emits it.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { compileKeys } from '../state/keys.ts';
import { windowOperator } from './planned-windows.ts';
import type { Operator } from '../contract/operator.ts';
import { type Fold, reducedContents, type Reduced } from '../aggregates/reduce.ts';

export function windowReduce(node: NodeOf<'windowReduce'>, functions: FunctionTable, key: KeySpec): Operator {
  const fold = functions.get<Fold>(node.parameters.fn);
  return windowOperator<Reduced>(node, functions, {
    keys: compileKeys(key, functions, node.uid),
    contents: (context) => reducedContents(fold, context),
    givesMany: false,
    mayBeSlow: true,
    canPreview: true,
  });
}
