// An operator has failed: which cell, which record of which source, and which pulls will get no
// more rows.
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import { variableOf } from '../../engine/graph/uid.ts';
import { above, edgesByReader } from '../../engine/graph/walk.ts';
import type { TaskFailure } from '../../engine/runtime/task-failure.ts';
import type { ExecutorEvent, LocatedError } from './executor-protocol.ts';
import { describeRecord } from './record.ts';

export type OperatorFailed = Extract<ExecutorEvent, { kind: 'operator-failed' }>;

export function failureReport(
  plan: Plan,
  failure: TaskFailure & { readonly uid: string },
  locate: (error: unknown, cell: string) => LocatedError,
): OperatorFailed {
  const node = reportedNode(plan, failure);
  const cell = node?.group ?? '';
  const source = node && sourceName(plan, node.id);
  return {
    kind: 'operator-failed',
    instance: failure.node,
    cell,
    name: node?.name ?? failure.uid,
    error: atCall(locate(failure.error, cell), node),
    ...(failure.partitions && { partitions: failure.partitions }),
    ...(failure.record
      ? { record: describeRecord(failure.record, source) }
      : failure.working !== undefined && { record: failure.working }),
  };
}

/** An error that no line of the user's threw, such as that of a missing topic, is at the call. */
export function atCall(error: LocatedError, node: PlanNode | undefined): LocatedError {
  if (error.line !== undefined || node?.calledAt === undefined) return error;
  const { file, ...place } = node.calledAt;
  const { cell: _unknown, ...rest } = error;
  return { ...rest, ...(file === undefined ? { cell: node.group } : { file }), ...place };
}

/** A sink that was replaced is reported as the one that runs under its uid. */
export function reportedNode(plan: Plan, failure: TaskFailure & { readonly uid: string }): PlanNode | undefined {
  const { node, uid } = failure;
  return plan.nodes.find((one) => one.id === node) ?? plan.nodes.find((one) => one.uid === uid);
}

/** The name of the one source above an operator: "orders" in orders[3]@188204. */
export function sourceName(plan: Plan, id: string): string | undefined {
  const inputs = edgesByReader(plan.edges);
  const line = [...above(plan.edges, [id])];
  if (line.some((at) => (inputs.get(at)?.length ?? 0) > 1)) return undefined;
  const source = plan.nodes.find((node) => node.id === line.at(-1));
  // A topic and a file have names of their own; other sources have the name of their variable.
  const [verb, about] = source?.name.split(' ') ?? [];
  return about ?? (source && variableOf(source.uid)) ?? verb;
}
