// The last state of a session whose executor cannot be kept alive, as an offer: it is chosen like
// the checkpoint that an earlier kernel has left.
import type { OfferedCheckpoint } from './checkpoint-state.ts';
import { hasState } from './checkpoints.ts';
import { partsToRestore } from './recovery-parts.ts';
import { saveSession } from './saved-session.ts';
import type { Session } from './state.ts';

/** undefined: nobody can choose, or nothing ran. `because`: a sentence. */
export function offerOf(session: Session, because: string, now: number): OfferedCheckpoint | undefined {
  const { settings, recovery, checkpoints } = session;
  if (settings.attach === 'together' || !hasState(session)) return undefined;
  return {
    id: checkpoints.completeId,
    takenAt: recovery.takenAt > 0 ? recovery.takenAt : now,
    saved: saveSession(session),
    parts: partsToRestore(recovery),
    skipped: [because],
  };
}
