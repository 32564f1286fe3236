// A small running graph for tests: `orders → map → totals`, with given metrics.
import type { Kind } from '../../../engine/graph/kinds.ts';
import type { Plan, PlanNode } from '../../../engine/graph/plan.ts';
import type { OperatorReport } from '../../executor/executor-protocol.ts';

/** `cell/name:kind` per operator, `a > b` per edge. */
export function graph(nodes: readonly string[], edges: readonly string[]): Plan {
  return {
    version: 1,
    nodes: nodes.map((text): PlanNode => {
      const [id = '', kind = 'map'] = text.split(':');
      const common = { id, kind: kind as Kind, uid: id.replace(/~.*/, ''), parameters: {}, own: '', shape: '' };
      return { ...common, name: id.split('/').at(-1) ?? id, group: id.split('/')[0] ?? '' } as PlanNode;
    }),
    edges: edges.map((text) => {
      const [from = '', to = ''] = text.split(' > ');
      return { from, to, port: 'out', input: 0, exchange: 'forward' };
    }),
  };
}

export function report(id: string, figures: Partial<OperatorReport> = {}): OperatorReport {
  return {
    id,
    uid: id.replace(/~.*/, ''),
    name: id.split('/').at(-1) ?? id,
    cell: id.split('/')[0] ?? '',
    kind: 'map',
    ...{ recordsIn: 0, recordsOut: 0, inPerSecond: 0, outPerSecond: 0 },
    ...{ busy: 0, idle: 1, backpressured: 0, late: 0, lateDropped: 0, finished: false },
    ...figures,
  };
}

export const liveSource = { opened: 1, phase: 'live', errors: 0, entries: 0 } as const;
