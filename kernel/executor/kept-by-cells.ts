// What the engine keeps for each cell at this moment: entries of its operators, and rows of its
// `toArray` calls. The control thread asks for it when the thread holds too much memory. The last
// snapshot knows the bytes of state, and this is as it is now.
import { serialize } from 'node:v8';
import { openCollections } from '../../engine/api/open-collections.ts';
import { isSinkTask } from '../../engine/runtime/sink-drain.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';

export interface KeptByCell {
  readonly cell: string;
  /** The operator, or "toArray()". */
  readonly operator: string;
  readonly entries: number;
  /** Of rows, as they would be saved. State has its bytes in the last snapshot. */
  readonly bytes?: number;
}

export const collecting = 'toArray()';

export function keptByCells(runtime: Runtime): readonly KeptByCell[] {
  const kept: KeptByCell[] = [];
  // A replaced or removed sink may hold rows until its target is back.
  for (const task of [...runtime.tasks.values(), ...runtime.leaving, ...runtime.retired]) {
    const [head] = task.chain.nodes;
    if (!head || task.source) continue;
    const { group: cell, name: operator } = head;
    const { entries = 0, inFlight = 0 } = task.operatorStatus() ?? {};
    if (entries > 0) kept.push({ cell, operator, entries });
    // A retired task counts as ended, and its operator may hold rows.
    const rows = isSinkTask(task) ? Math.max(task.unfinished, inFlight) : 0;
    // Their size is not known.
    if (rows > 0) kept.push({ cell, operator, entries: rows, bytes: 0 });
  }
  for (const { group, rows } of openCollections())
    if (rows.length > 0) kept.push({ cell: group, operator: collecting, entries: rows.length, bytes: bytesOf(rows) });
  return kept;
}

const sampled = 50;
/** By a sample: memory is short when this is asked. */
function bytesOf(rows: readonly unknown[]): number {
  const step = Math.max(1, Math.floor(rows.length / sampled));
  let bytes = 0;
  let count = 0;
  for (let at = 0; at < rows.length; at += step, count++)
    try {
      bytes += serialize(rows[at]).length;
    } catch {
      // A row that cannot be written, such as one with a function in it.
    }
  return Math.round((bytes / count) * rows.length);
}
