// The error of a job whose thread has ended, with the cell that was at work.
import type { Whereabouts } from '../executor/executor-protocol.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';
import { judged, outOfMemory } from '../session/memory-blame.ts';
import type { Session } from '../session/state.ts';
import type { JobFailure } from './job-failure.ts';

/** A job is not started again: rows that its sinks wrote would be written twice. */
const lost =
  'All cells have stopped, so results are missing: windows that were open, and rows that were not written yet.';

export function threadEnded(
  session: Session,
  reason: string,
  at: Whereabouts | undefined,
  end: MemoryEnd | undefined,
): { readonly cell: string | undefined; readonly error: JobFailure } {
  const { whereabouts, memory } = judged(session, { whereabouts: at, memory: end });
  const cell = whereabouts?.cell;
  if (whereabouts && memory) {
    const { code, message } = outOfMemory(whereabouts.cell, memory);
    return { cell, error: { code, message: `${message} ${lost}` } };
  }
  const code = memory ? 'out-of-memory' : 'executor-ended';
  const atWork = whereabouts ? ` while ${whereabouts.operator ?? `cell "${whereabouts.cell}"`} was at work` : '';
  return { cell, error: { code, message: `The thread that runs the cells ended${atWork}: ${reason}. ${lost}` } };
}
