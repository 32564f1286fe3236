// process on a keyed stream: the user's function of element, state and timers.
import type { FunctionRef, KeySpec } from '../graph/spec.ts';
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import { compileKeys } from '../state/keys.ts';
import type { StateSpecs } from '../graph/state-spec.ts';
import { KeyedProcess, type ProcessFunctions } from './keyed-process.ts';
import type { Operator } from '../contract/operator.ts';

export function process(node: PlanNode, functions: FunctionTable, key: KeySpec): Operator {
  return new KeyedProcess([compileKeys(key, functions, node.uid)], {
    onElement: [functions.get(node.parameters.onElement as unknown as FunctionRef)],
    ...stateAndTimer(node, functions),
  });
}

export function stateAndTimer(
  { parameters }: PlanNode,
  functions: FunctionTable,
): Pick<ProcessFunctions, 'state' | 'onTimer'> {
  const onTimer = parameters.onTimer as FunctionRef | undefined;
  return {
    state: (parameters.state ?? {}) as unknown as StateSpecs,
    ...(onTimer && { onTimer: functions.get(onTimer) }),
  };
}
