// Who makes the operators of a plan: a function for each kind. A kind without one is a compile
// error.
import type { KeySpec } from '../graph/spec.ts';
import { isStage, type KeyedInputsOf, kinds, type OperatorKind } from '../graph/kinds.ts';
import type { FunctionTable, NodeOf, PlanNode } from '../graph/plan.ts';
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
import { IterateHeadOperator } from '../operators/iterate-head.ts';
import { IterateTailOperator } from '../operators/iterate-tail.ts';
import { Loop } from '../operators/loop.ts';
import { MapAsyncOperator } from '../operators/map-async.ts';
import { MapOperator } from '../operators/map.ts';
import type { Operator, Stage } from '../contract/operator.ts';
import { PairwiseOperator } from '../operators/pairwise.ts';
import { pattern } from '../operators/pattern.ts';
import { process } from '../process/process.ts';
import { reduce } from '../aggregates/reduce.ts';
import { TableGetOperator } from '../tables/table-get.ts';
import { tableJoin } from '../tables/table-join.ts';
import { tableAggregate } from '../tables/table-aggregate.ts';
import { tableGroup } from '../tables/table-group.ts';
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

/**
 * `keys[i]` is the key of input i, from the keyBy before it. An input that must have one has one.
 */
type Keys<K extends OperatorKind> =
  KeyedInputsOf<K> extends 2
    ? readonly [KeySpec, KeySpec]
    : KeyedInputsOf<K> extends 1
      ? readonly [KeySpec]
      : readonly (KeySpec | undefined)[];
/** Head and tail of an iteration share a loop. */
export interface Loops {
  /** Makes the loop of a head. */
  begin(head: string): Loop;
  ofTail(tail: string): () => Loop;
}
type Factory<K extends OperatorKind> = (
  node: NodeOf<K>,
  functions: FunctionTable,
  keys: Keys<K>,
  loops: Loops,
) => Operator;

const factories: { readonly [K in OperatorKind]: Factory<K> } = {
  map: (node, functions) => new MapOperator(node, functions),
  filter: (node, functions) => new FilterOperator(node, functions),
  flatMap: (node, functions) => new FlatMapOperator(node, functions),
  mapAsync: (node, functions) => new MapAsyncOperator(node, functions),
  union: () => new UnionOperator(),
  take: (node) => new TakeOperator(node),
  assignTimestamps: (node, functions) => {
    const { generator } = node.parameters;
    return generator === undefined
      ? new AssignTimestampsOperator(node, functions)
      : new GeneratedWatermarks(node, generator, functions);
  },
  reduce: (node, functions, [key]) => reduce(node, functions, key),
  aggregate: (node, functions, [key]) => aggregate(node, functions, key),
  pairwise: (node, functions, [key]) => new PairwiseOperator(node, functions, key),
  pattern: (node, functions, [key]) => pattern(node, functions, key),
  process: (node, functions, [key]) => process(node, functions, key),
  windowAggregate: (node, functions, [key]) => windowAggregate(node, functions, key),
  windowReduce: (node, functions, [key]) => windowReduce(node, functions, key),
  windowApply: (node, functions, [key]) => windowApply(node, functions, key),
  connectMap: (node, functions) => new ConnectMapOperator(node, functions),
  connectProcess: (node, functions, [left, right]) => connectProcess(node, functions, left, right),
  broadcastProcess: (node, functions, [key]) => broadcastProcess(node, functions, key),
  intervalJoin: (node, functions, [left, right]) => intervalJoin(node, functions, left, right),
  windowJoin: (node, functions, [left, right]) => windowJoin(node, functions, left, right),
  windowCoGroup: (node, functions, [left, right]) => windowCoGroup(node, functions, left, right),
  iterateHead: (node, _functions, _keys, loops) => new IterateHeadOperator(node, loops.begin(node.id)),
  iterateTail: (node, _functions, _keys, loops) => new IterateTailOperator(loops.ofTail(node.id)),
  toTable: (node, functions, [key]) => toTable(node, functions, key),
  tableMap,
  tableFilter,
  tableJoin,
  tableToStream: () => new TableToStreamOperator(),
  tableGroup,
  tableAggregate,
  tableGet: (node) => new TableGetOperator(node),
  temporalJoin: (node, functions, [key]) => temporalJoin(node, functions, key),
  arrivalJoin: (node, functions, [key]) => arrivalJoin(node, functions, key),
  iterateDelta,
};

/** For an operator that runs alone: each head and each tail has a loop of its own. */
const unconnectedLoops: Loops = { begin: () => new Loop(), ofTail: () => () => new Loop() };

/** A new operator each time; it has done nothing yet. */
export function createOperator(
  node: PlanNode,
  functions: FunctionTable,
  keys: readonly (KeySpec | undefined)[],
  loops: Loops = unconnectedLoops,
): Operator {
  if (!hasFactory(node)) throw new Error(`There is no operator of kind "${node.kind}" (${node.uid}).`);
  for (let input = 0; input < (kinds[node.kind].keyedInputs ?? 0); input++)
    if (!keys[input])
      throw new Error(`Operator ${node.uid} (${node.kind}) needs a key on input ${input}, and the plan gives none.`);
  return create(node, functions, keys, loops);
}
function hasFactory(node: PlanNode): node is Extract<PlanNode, { readonly kind: OperatorKind }> {
  return Object.hasOwn(factories, node.kind);
}
function create<K extends OperatorKind>(
  node: NodeOf<K>,
  functions: FunctionTable,
  keys: readonly (KeySpec | undefined)[],
  loops: Loops,
): Operator {
  return factories[node.kind](node, functions, keys as Keys<K>, loops);
}

/** The stage of a node that can be fused into the task before it. */
export function stageOf(node: PlanNode, functions: FunctionTable): Stage | undefined {
  return isStage(node) ? { kind: node.kind, f: functions.get(node.parameters.fn) } : undefined;
}
