// A planner for tests. Each cell is one operator, and each run of a cell makes an instance that
// takes over the state of the former one.
import type { Plan, PlanNode } from '../../../engine/graph/plan.ts';
import type { LivePlanner } from '../../live/plan-request.ts';

/**
 * The instance of a cell's run is `CELL~RUN`. A display of the cell continues while the run is the
 * same.
 */
export const planInstances: LivePlanner = ({ graph, running, displays }) => {
  const former = new Map(running.nodes.map((node) => [node.group, node.id]));
  const handover: Record<string, string> = {};
  const nodes = graph.cells.map(({ cell, run }): PlanNode => {
    const id = `${cell}~${run}`;
    const from = former.get(cell);
    if (from !== undefined && from !== id) handover[id] = from;
    return { ...{ id, uid: cell, kind: 'union', name: cell, group: cell }, parameters: {}, own: '', shape: 'state' };
  });
  const plan: Plan = { version: 1, nodes, edges: [] };
  const instanceOf = new Map(nodes.map((node) => [node.group, node.id]));
  return {
    ...{ plan, handover, notes: {} },
    displays: displays.map((install) => {
      const instance = instanceOf.get(install.cell)!;
      return { ...install, instance, keep: former.get(install.cell) === instance };
    }),
  };
};
