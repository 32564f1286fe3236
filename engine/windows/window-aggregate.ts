// window(…).aggregate: one row per key and window, {…key fields, windowStart, windowEnd, …results}.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { Keyed } from '../state/keyed.ts';
import { compileKeys } from '../state/keys.ts';
import { windowOperator } from './planned-windows.ts';
import { planAccumulators } from '../aggregates/accumulator-plan.ts';
import { compileAccumulators } from '../aggregates/compiled-accumulators.ts';
import type { Operator } from '../contract/operator.ts';

export function windowAggregate(node: NodeOf<'windowAggregate'>, functions: FunctionTable, key: KeySpec): Operator {
  const keys = compileKeys(key, functions, node.uid);
  const plan = planAccumulators(node.parameters.aggregates, functions, node.uid);
  return windowOperator<Keyed>(node, functions, {
    keys,
    contents: () => compileAccumulators(plan, keys.fields, true, node.uid),
    givesMany: false,
    mayBeSlow: 'fn' in key || plan.callsUser,
    canPreview: !plan.resultCallsUser,
    canSlice: plan.canMerge,
  });
}
