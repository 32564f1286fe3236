// process on a keyed stream: the user's function of an element, keyed state and timers.
import type { FunctionRef, FunctionTable, KeySpec, PlanNode } from '../graph/plan.ts';
import { compileKeys } from '../state/keys.ts';
import type { StateSpecs } from '../state/declared-state.ts';
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
