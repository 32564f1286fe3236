// The checkpoint at the end of a job. A restart goes on from it, and sinks with transactions commit
// their last rows with it, also where nothing is stored.
import { needsCheckpoints } from '../../engine/graph/kinds.ts';
import type { Control } from '../server/control.ts';
import type { Session } from '../session/state.ts';

/** Gives a sentence when it was not complete in time. */
export async function lastCheckpoint(
  control: Pick<Control, 'session' | 'checkpoint'>,
  isStored: boolean,
  longestMillis = 30_000,
): Promise<string | undefined> {
  if (!isStored && !control.session.plan.nodes.some(needsCheckpoints)) return undefined;
  if (isRestarting(control.session))
    return `The job was restarting, so no last checkpoint was taken. ${isStored ? 'A restart goes on from the one before.' : unstored}`;
  if (await control.checkpoint(longestMillis)) return undefined;
  const what = 'The last checkpoint was not complete in time.';
  if (isStored) return `${what} A restart repeats what came after the one before.`;
  return `${what} ${unstored}`;
}

const unstored = 'Sinks with transactions have not committed the rows that came after the one before.';

/** Rows that came after the last checkpoint are lost with the former executor. */
function isRestarting({ executor, restarts }: Session): boolean {
  return executor !== 'ready' && (restarts.startsAt !== undefined || restarts.at.length > 0);
}
