// connect(…).keyBy(…).process: one function for two keyed streams, which share the state of a key.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { compileKeys } from '../state/keys.ts';
import { KeyedProcess } from './keyed-process.ts';
import type { Operator } from '../contract/operator.ts';
import { stateAndTimer } from './process.ts';

export function connectProcess(
  node: NodeOf<'connectProcess'>,
  functions: FunctionTable,
  left: KeySpec,
  right: KeySpec,
): Operator {
  const { onLeft, onRight } = node.parameters;
  return new KeyedProcess([compileKeys(left, functions, node.uid), compileKeys(right, functions, node.uid)], {
    onElement: [functions.get(onLeft), functions.get(onRight)],
    ...stateAndTimer(node, functions),
  });
}
