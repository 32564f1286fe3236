// aggregate on a keyed stream: a rolling aggregate, a row for every element.
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import { compileKeys } from '../state/keys.ts';
import { planAccumulators } from './accumulator-plan.ts';
import { compileAccumulators } from './compiled-accumulators.ts';
import { KeyedRows } from './rolling.ts';
import type { Operator } from '../contract/operator.ts';

export function aggregate(node: NodeOf<'aggregate'>, functions: FunctionTable, key: KeySpec): Operator {
  const keys = compileKeys(key, functions, node.uid);
  const plan = planAccumulators(node.parameters.aggregates, functions, node.uid);
  return new KeyedRows(keys, () => compileAccumulators(plan, keys.fields, false, node.uid));
}
