// Sources that do not start where the job is told to start. A job says which they are, because
// their rows come from elsewhere than its user has asked for.
import { isSource, mayBeginMidway, type Start, startOfSource } from '../../engine/graph/kinds.ts';
import type { StartFrom } from '../../engine/graph/parameters.ts';
import type { PlanNode } from '../../engine/graph/plan.ts';

/** A sentence, with the reasons. undefined: all start there. */
export function fixedStarts(nodes: readonly PlanNode[], start: StartFrom): string | undefined {
  const sources = nodes.filter(isSource);
  const isBeginning = start === 'earliest';
  const part = (why: Start, reason: string): readonly string[] => {
    const names = sources.flatMap((node) =>
      startOfSource(node) === why && !(isBeginning && !mayBeginMidway(node)) ? [node.name] : [],
    );
    return names.length === 0 ? [] : [`${reason} (${names.join(', ')})`];
  };
  const parts = [
    ...part('whole', 'a table needs its whole topic'),
    ...part('written', 'with until, the notebook says what is read'),
    ...part('beginning', 'only topics have a start'),
  ];
  if (parts.length === 0) return undefined;
  return `The job starts at ${startText(start)}, but not in all of its sources: ${parts.join('; ')}.`;
}

function startText(start: StartFrom): string {
  if (typeof start === 'string') return start;
  if ('committed' in start) return `the committed offsets of "${start.committed}"`;
  return 'timestamp' in start ? new Date(start.timestamp).toISOString() : 'offsets';
}
