// Sources that do not start where the job is told to start. A job says which they are, because their
// rows come from elsewhere than its user has asked for.
import { isSource } from '../../engine/graph/kinds.ts';
import type { StartFrom } from '../../engine/graph/parameters.ts';
import type { PlanNode } from '../../engine/graph/plan.ts';

/** A sentence, with the reasons. undefined: all start there. */
export function fixedStarts(nodes: readonly PlanNode[], start: StartFrom): string | undefined {
  const tables: string[] = [];
  const bounded: string[] = [];
  const others: string[] = [];
  for (const node of nodes) {
    if (!isSource(node)) continue;
    if (node.kind !== 'kafka') others.push(node.name);
    else if (node.parameters.tableKey !== undefined) tables.push(`"${node.parameters.topic}"`);
    else if (node.parameters.until !== undefined && node.parameters.from !== start)
      bounded.push(`"${node.parameters.topic}"`);
  }
  const isBeginning = start === 'earliest';
  const parts = [
    ...(isBeginning || tables.length === 0 ? [] : [`a table needs its whole topic (${tables.join(', ')})`]),
    ...(bounded.length === 0 ? [] : [`with until, the notebook says what is read (${bounded.join(', ')})`]),
    ...(isBeginning || others.length === 0 ? [] : [`only topics have a start (${others.join(', ')})`]),
  ];
  if (parts.length === 0) return undefined;
  return `The job starts at ${startText(start)}, but not in all of its sources: ${parts.join('; ')}.`;
}

function startText(start: StartFrom): string {
  if (typeof start === 'string') return start;
  if ('committed' in start) return `the committed offsets of "${start.committed}"`;
  return 'timestamp' in start ? new Date(start.timestamp).toISOString() : 'offsets';
}
