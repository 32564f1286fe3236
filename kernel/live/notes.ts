// Sentences under a cell about a change: what each operator with state holds now, and from where it
// reads each of its sources.
import { canReadNodeAgain, isSink, isSource } from '../../engine/graph/kinds.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import { listed } from './listed.ts';
import { variableOf } from '../../engine/graph/uid.ts';
import { above } from '../../engine/graph/walk.ts';
import type { Change, ResetReason } from './live-graph.ts';
import { nowhere } from './merge.ts';

/** By cell. A kept operator needs no sentence, and an operator without state holds nothing. */
export function notesOf(
  change: Change,
  running: Plan,
  next: Plan,
  cells: Iterable<string>,
): Record<string, readonly string[]> {
  const notes = new Map(Array.from(cells, (cell) => [cell, [] as string[]]));
  const former = new Set(running.nodes.map((node) => node.id));
  for (const node of next.nodes) {
    const note = node.shape === '' ? undefined : noteOf(node, change, former);
    if (isSink(node) && hadNoInput(node, change, running)) notes.get(node.group)?.push(goesOnFromNow(node));
    if (note !== undefined) notes.get(node.group)?.push(note);
  }
  return Object.fromEntries(notes);
}

/** The sink reads again what passed while it had no input. */
function hadNoInput(node: PlanNode, { plan, main }: Change, running: Plan): boolean {
  const id = main.get(node.uid)!;
  const reads = plan.edges.some(({ to, from }) => to === id && from !== nowhere);
  return reads && running.edges.some(({ to, from, lost }) => to === id && from === nowhere && lost && !lost.from);
}
function goesOnFromNow(node: PlanNode): string {
  return `${nameOf(node)} goes on from now: it does not write the rows that passed while it had no input.`;
}

function noteOf(
  node: PlanNode,
  { plan, main, decisions, reasons }: Change,
  former: ReadonlySet<string>,
): string | undefined {
  const id = main.get(node.uid)!;
  if (!plan.nodes.some((one) => one.id === id)) return undefined;
  const name = nameOf(node);
  const reads = sourcesAbove(plan, id, former);
  switch (decisions.get(node.uid)) {
    case 'rewire':
    case 'handover': {
      const waits = plan.edges.some((edge) => edge.to === id && edge.from === nowhere);
      const starts = startsOf({ ...reads, goesOn: [] });
      return (
        `${name} keeps what it held before the change${waits ? ', and waits for an input that is gone' : ''}.` +
        (starts === '' ? '' : ` It also reads ${starts}.`)
      );
    }
    case 'rebuild':
      return `${name} starts again and reads ${startsOf(reads)}.`;
    case 'reset': {
      const reason = reasons.get(node.uid)!;
      if (reason === 'table') return `${name} starts again with the rows that its table has now.`;
      const starts = startsOf(reads);
      const why = reasonText(reason, reads);
      return `${name} starts again: ${why}.${starts === '' ? '' : ` It reads ${starts}.`}`;
    }
    default:
      return undefined;
  }
}

interface Sources {
  /** They are read from their start. */
  readonly again: readonly string[];
  /** They began with this change, and cannot be read again. */
  readonly begun: readonly string[];
  /** They ran before the change. */
  readonly goesOn: readonly string[];
}
function sourcesAbove(plan: Plan, id: string, former: ReadonlySet<string>): Sources {
  const ids = above(plan.edges, [id]);
  const sources = plan.nodes.filter((node) => ids.has(node.id) && isSource(node));
  const isNew = (node: PlanNode): boolean => !former.has(node.id);
  const names = (chosen: readonly PlanNode[]): readonly string[] => [...new Set(chosen.map(nameOf))];
  return {
    again: names(sources.filter((node) => isNew(node) && canReadNodeAgain(node))),
    begun: names(sources.filter((node) => isNew(node) && !canReadNodeAgain(node))),
    goesOn: names(sources.filter((node) => !isNew(node))),
  };
}
/** "hist from the start and live from now on". */
function startsOf({ again, begun, goesOn }: Sources): string {
  const now = [...begun, ...goesOn];
  return [
    ...(again.length > 0 ? [`${listed(again)} from the start`] : []),
    ...(now.length > 0 ? [`${listed(now)} from now on`] : []),
  ].join(' and ');
}
function reasonText(reason: Exclude<ResetReason, 'table'>, { again }: Sources): string {
  switch (reason) {
    case 'shape':
      return 'what it held has another shape';
    case 'key':
      return 'what it held is for other inputs or another key';
    case 'unbounded':
      return 'what it held came from sources that could be read again, and not all of the present ones can';
    case 'twice':
      return `${listed(again)} would reach what it held a second time`;
  }
}
function nameOf(node: PlanNode): string {
  return variableOf(node.uid) ?? node.name;
}
