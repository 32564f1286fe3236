// The plan of a job for another engine: what its cells declare, with the type of the rows on each
// edge, and with the values that its functions capture.
import type { Plan, PlanNode } from '../../../engine/graph/plan.ts';
import { constantOf } from '../../cells/constant-text.ts';
import { mergePlan } from '../../live/merge.ts';
import type { ConstantValues } from '../../export/constant-values.ts';
import { evaluatedCells } from '../../export/evaluated-cells.ts';
import { orderedCells } from '../../export/ordered-cells.ts';
import type { Exportability } from '../../export/exportability.ts';
import { capturedNames } from './plan-values.ts';
import { typesByPlace } from '../../export/stream-types.ts';

/** `notebook`: its absolute path. Error: CellFailure, also for a cell that awaits rows. */
export async function jobPlan(
  notebook: string,
  { cells, streams, captured }: Exportability,
  constants: ConstantValues,
): Promise<Plan> {
  const evaluated = await evaluatedCells(notebook, await orderedCells(notebook, cells), {
    constants: (cell) => ({
      values: Object.fromEntries(
        Object.entries(constants.byCell.get(cell) ?? {}).map(([key, text]) => [key, constantOf(text)]),
      ),
    }),
  });
  const plan = mergePlan(
    evaluated.map(({ id, result: { fragment, exports } }) => ({
      ...{ cell: id, nodes: fragment.nodes, edges: fragment.edges },
      streams: new Map(exports.flatMap((one) => (one.kind === 'stream' ? [[one.name, one.endpoint] as const] : []))),
    })),
    evaluated.flatMap(({ result }) => result.fragment.sinks.map(({ node }) => ({ kind: 'sink' as const, node }))),
  );
  const typesOf = typesByPlace(streams);
  const nodeById = new Map(plan.nodes.map((node) => [node.id, node]));
  const edges = plan.edges.map((edge) => {
    const from = nodeById.get(edge.from);
    const to = nodeById.get(edge.to);
    // One call may make several operators. The checker knows only what the last of them gives.
    const isInside = from !== undefined && to !== undefined && placeText(from) === placeText(to);
    const type = isInside || !from?.calledAt ? undefined : typesOf(from.group, from.calledAt)?.[edge.port];
    return { ...edge, type: type ?? { type: 'any' as const } };
  });
  return { ...plan, edges, captured: capturedNames(captured, constants) };
}

function placeText({ group, calledAt }: PlanNode): string {
  return `${calledAt?.file ?? calledAt?.cell ?? group} ${calledAt?.line}:${calledAt?.column}`;
}
