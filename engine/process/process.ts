// process on a keyed stream: the user's function of an element, keyed state and timers.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { compileKeys } from '../state/keys.ts';
import { KeyedProcess, type ProcessFunctions } from './keyed-process.ts';
import type { Operator } from '../contract/operator.ts';

export function process(node: NodeOf<'process'>, functions: FunctionTable, key: KeySpec): Operator {
  return new KeyedProcess([compileKeys(key, functions, node.uid)], {
    onElement: [functions.get(node.parameters.onElement)],
    ...stateAndTimer(node, functions),
  });
}

export function stateAndTimer(
  { parameters }: NodeOf<'process' | 'connectProcess' | 'broadcastProcess'>,
  functions: FunctionTable,
): Pick<ProcessFunctions, 'state' | 'onTimer'> {
  const { state, onTimer } = parameters;
  return { state, ...(onTimer && { onTimer: functions.get(onTimer) }) };
}
