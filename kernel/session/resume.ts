// The choice between the checkpoint that an earlier process has left and a fresh start.
import type { LivePlanner } from '../live/plan-request.ts';
import type { OfferedCheckpoint, SavedCheckpoint, UnstoredRun } from './checkpoint-state.ts';
import type { Emit, SessionEvent } from './events.ts';
import { executorReady } from './executor-life.ts';
import { withoutLastCall } from './process-end.ts';
import { marked } from './restarts.ts';
import { requestRun } from './runs.ts';
import { readSavedSession, withSaved } from './saved-session.ts';
import type { Session } from './state.ts';
import { noted, runsToRepeat } from './unstored-runs.ts';

export function choose(
  session: Session,
  { choice, lastCall, from }: Extract<SessionEvent, { kind: 'choose' }>,
  now: number,
  planner: LivePlanner,
  emit: Emit,
): Session {
  const { offered: left, ...checkpoints } = session.checkpoints;
  const offered: (SavedCheckpoint & Pick<OfferedCheckpoint, 'ran'>) | undefined = from ?? left;
  if (!offered) return session;
  // Checkpoints of another past are not mixed with those to come.
  if (from) emit({ kind: 'discard-checkpoints' });
  if (choice === 'fresh') {
    emit({ kind: 'discard-checkpoints' });
    return { ...session, checkpoints };
  }
  const { id, takenAt, saved, ran = [] } = offered;
  const back = withSaved(session, readSavedSession(saved), offered, now, emit);
  const resumed = lastCall ? withoutLastCall(back, lastCall, emit) : back;
  const s: Session = {
    ...resumed,
    // Ids go on behind those of a savepoint, because sinks compare them.
    checkpoints: { ...checkpoints, nextId: Math.max(checkpoints.nextId, id + 1), completeId: id, resumedFrom: takenAt },
    restarts: marked(resumed.restarts, now),
  };
  const next = s.executor === 'ready' ? executorReady(s, now, planner, emit) : s;
  return ran.length === 0 ? next : repeated(next, runsToRepeat(next, ran, lastCall), emit);
}

/** A request for each, so that one that fails stops no other. Nobody waits for their answers. */
function repeated(session: Session, runs: readonly UnstoredRun[], emit: Emit): Session {
  let s = noted(session, runs, emit);
  for (const [index, { cell }] of runs.entries()) s = requestRun(s, -1 - index, [cell], emit);
  return s;
}
