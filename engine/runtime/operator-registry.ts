// Which operator runs a node of the plan.
import type { FunctionRef, KeySpec } from '../graph/spec.ts';
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import { aggregate } from '../aggregates/aggregate.ts';
import { arrivalJoin } from '../tables/arrival-join.ts';
import { AssignTimestampsOperator } from '../operators/assign-timestamps.ts';
import { ConnectMapOperator } from '../operators/connect-map.ts';
import { broadcastProcess } from '../process/broadcast-process.ts';
import { connectProcess } from '../process/connect-process.ts';
import { FilterOperator } from '../operators/filter.ts';
import { FlatMapOperator } from '../operators/flat-map.ts';
import { GeneratedWatermarks } from '../operators/generated-watermarks.ts';
import { intervalJoin } from '../operators/interval-join.ts';
import { iterateDelta } from '../tables/iterate-delta.ts';
import { MapAsyncOperator } from '../operators/map-async.ts';
import { MapOperator } from '../operators/map.ts';
import type { Operator, Stage } from '../contract/operator.ts';
import { PairwiseOperator } from '../operators/pairwise.ts';
import { pattern } from '../operators/pattern.ts';
import { process } from '../process/process.ts';
import { reduce } from '../aggregates/reduce.ts';
import { TableGetOperator } from '../tables/table-get.ts';
import { tableJoin } from '../tables/table-join.ts';
import { tableFilter, tableMap } from '../tables/table-map.ts';
import { TableToStreamOperator } from '../tables/table-to-stream.ts';
import { TakeOperator } from '../operators/take.ts';
import { temporalJoin } from '../tables/temporal-join.ts';
import { toTable } from '../tables/to-table.ts';
import { UnionOperator } from '../operators/union.ts';
import { windowAggregate } from '../windows/window-aggregate.ts';
import { windowApply } from '../windows/window-apply.ts';
import { windowCoGroup, windowJoin } from '../windows/window-join.ts';
import { windowReduce } from '../windows/window-reduce.ts';

/** `keys[i]` is the key of input i, from the keyBy before it. A new operator each time; it has done nothing yet. */
export function createOperator(
  node: PlanNode,
  functions: FunctionTable,
  keys: readonly (KeySpec | undefined)[],
): Operator {
  const key = (input: 0 | 1): KeySpec => {
    const spec = keys[input];
    if (!spec)
      throw new Error(`Operator ${node.uid} (${node.kind}) needs a key on input ${input}, and the plan gives none.`);
    return spec;
  };
  switch (node.kind) {
    case 'map':
      return new MapOperator(node, functions);
    case 'filter':
      return new FilterOperator(node, functions);
    case 'flatMap':
      return new FlatMapOperator(node, functions);
    case 'map-async':
      return new MapAsyncOperator(node, functions);
    case 'union':
      return new UnionOperator();
    case 'take':
      return new TakeOperator(node);
    case 'assign-timestamps':
      return node.parameters.generator === undefined
        ? new AssignTimestampsOperator(node, functions)
        : new GeneratedWatermarks(node, functions);
    case 'reduce':
      return reduce(node, functions, key(0));
    case 'aggregate':
      return aggregate(node, functions, key(0));
    case 'pairwise':
      return new PairwiseOperator(node, functions, key(0));
    case 'pattern':
      return pattern(node, functions, key(0));
    case 'process':
      return process(node, functions, key(0));
    case 'window-aggregate':
      return windowAggregate(node, functions, key(0));
    case 'window-reduce':
      return windowReduce(node, functions, key(0));
    case 'window-apply':
      return windowApply(node, functions, key(0));
    case 'connect-map':
      return new ConnectMapOperator(node, functions);
    case 'broadcast-process':
      return broadcastProcess(node, functions, keys[0]);
    case 'connect-process':
      return connectProcess(node, functions, key(0), key(1));
    case 'interval-join':
      return intervalJoin(node, functions, key(0), key(1));
    case 'window-join':
      return windowJoin(node, functions, key(0), key(1));
    case 'window-coGroup':
      return windowCoGroup(node, functions, key(0), key(1));
    case 'to-table':
      return toTable(node, functions, key(0));
    case 'table-map':
      return tableMap(node, functions);
    case 'table-filter':
      return tableFilter(node, functions);
    case 'table-join':
      return tableJoin(node, functions);
    case 'table-to-stream':
      return new TableToStreamOperator();
    case 'table-get':
      return new TableGetOperator(node);
    case 'temporal-join':
      return temporalJoin(node, functions, key(0));
    case 'arrival-join':
      return arrivalJoin(node, functions, key(0));
    case 'iterate-delta':
      return iterateDelta(node, functions);
    default:
      throw new Error(`There is no operator of kind "${node.kind}" (${node.uid}).`);
  }
}

/** What can be fused into the task before it. */
export function stageOf(node: PlanNode, functions: FunctionTable): Stage | undefined {
  if (node.kind !== 'map' && node.kind !== 'filter') return undefined;
  return { kind: node.kind, f: functions.get(node.parameters.fn as unknown as FunctionRef) };
}
