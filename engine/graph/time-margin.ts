// The time margin of a stream: which records must come after a watermark that the records before
// them have reached.
//
// A source may emit a watermark W late, as long as no reader can see the difference. With margin 0,
// a record above W may come first: it is not late, and no window that W fires has it. With margin
// 1, a record at W + 1 may not: it touches a session that W ends. With margin Infinity no record
// may, because a timer of the user, which W fires, can see any record before it.
import { kinds, timeMarginOf } from './kinds.ts';
import type { Plan, PlanNode } from './plan.ts';
import { edgesByWriter, reached } from './walk.ts';

/** The margins by node, of all nodes that emit watermarks of their own. */
export function timeMargins(plan: Plan): ReadonlyMap<string, number> {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const outputs = edgesByWriter(plan.edges);
  const readersOf = (id: string): PlanNode[] =>
    (outputs.get(id) ?? []).flatMap(({ to }) => {
      const reader = nodes.get(to);
      return reader ? [reader] : [];
    });
  const below = (start: readonly PlanNode[], passes: (node: PlanNode) => boolean): PlanNode[] => {
    const next = (id: string): PlanNode[] => (passes(nodes.get(id)!) ? readersOf(id) : []);
    const ids = reached(idsOf(start), (id) => idsOf(next(id)));
    return [...ids].map((id) => nodes.get(id)!);
  };
  const marginBelow = ({ id }: PlanNode): number => {
    // They read the records of the node, at their own timestamps.
    const near = below(readersOf(id), isRecordwise);
    const ends = near.filter((reader) => !isRecordwise(reader) && !setsTime(reader));
    // They read results, whose timestamps are others.
    const far = below(
      ends.flatMap((end) => readersOf(end.id)),
      (reader) => !setsTime(reader),
    );
    return Math.max(0, ...near.map(timeMarginOf), ...far.map((reader) => (timeMarginOf(reader) > 0 ? Infinity : 0)));
  };
  return new Map(plan.nodes.filter(setsTime).map((node) => [node.id, marginBelow(node)]));
}

function idsOf(nodes: readonly PlanNode[]): string[] {
  return nodes.map(({ id }) => id);
}
function setsTime({ kind }: PlanNode): boolean {
  return kinds[kind].role === 'source' || kinds[kind].setsTime === true;
}
/** Each of its results belongs to one record, and has the timestamp of that record. */
function isRecordwise({ kind }: PlanNode): boolean {
  const { collapses, isStage, keepsOrigin, keepsKey, setsTime } = kinds[kind];
  return !setsTime && (collapses || isStage || keepsOrigin || keepsKey || false);
}
