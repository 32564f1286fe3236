// When checkpoints are taken, and what becomes of them.
//
// A checkpoint is a snapshot with an id. The barrier carries the id, so sinks know which of their
// transactions belong to it. The control thread merges the parts of a snapshot with those it has
// (`recovery.ts`), and a checkpoint is written from there. So a write that fails loses nothing: the
// next one writes again what is not in the directory.
import { checkpointDefaults, type CheckpointSettings, checkpointSettings } from '../../engine/api/fault-tolerance.ts';
import type { SessionOptions } from '../../engine/api/surface.ts';
import type {
  Checkpoints,
  FailedCheckpoint,
  SavedCheckpoint,
  SavepointRequest,
  StoredCheckpoint,
} from './checkpoint-state.ts';
import type { Emit, SessionEvent } from './events.ts';
import { upgradeWaits } from './pending-upgrade.ts';
import { partsToRestore } from './recovery-parts.ts';
import { saveSession } from './saved-session.ts';
import type { Run, Session } from './state.ts';
import { takenInCheckpoint, withStoredRuns } from './unstored-runs.ts';

/** Checkpoints that a display shows. */
const shownCheckpoints = 10;
/**
 * Checkpoints are asked for at heartbeats, one each second. The nearest one to the end of an
 * interval counts, else an interval of a second would become two.
 */
const halfHeartbeat = 500;

/** The options of all cells that have run; a later cell of the document wins. */
export function optionsOf({ cells }: Session, run?: Run): SessionOptions {
  const actives = [...cells.values()].map(({ id, active }) => (id === run?.cell ? run.candidate : active));
  const given = actives.flatMap((active) => active?.fragment.options ?? []);
  return Object.assign({}, ...given) as SessionOptions;
}
/** undefined: the notebook wants none. `run`: as it will be when it is committed. */
function settingsOf(session: Session, run?: Run): CheckpointSettings | undefined {
  const given = checkpointSettings(optionsOf(session, run));
  if (given === false) return undefined;
  const { checkpointMillis } = session.settings;
  return given ?? { ...checkpointDefaults, intervalMillis: checkpointMillis };
}

/**
 * Checkpoints go to the directory. Otherwise each snapshot is a checkpoint that is complete at
 * once: sinks commit, and nothing outlives the process.
 */
export function isKept(session: Session, run?: Run): boolean {
  return keptSettings(session, run) !== undefined;
}
function keptSettings(session: Session, run?: Run): CheckpointSettings | undefined {
  return session.checkpoints.isStored ? settingsOf(session, run) : undefined;
}

/** Between two checkpoints, in milliseconds. Without kept ones each snapshot is one. */
export function checkpointIntervalOf(session: Session, run: Run | undefined): number {
  return keptSettings(session, run)?.intervalMillis ?? 2 * halfHeartbeat;
}

/** Why no checkpoint of this session outlives it: a sentence. undefined: they are stored. */
export function whyNoneStored(session: Session): string | undefined {
  const { isStored, unkept } = session.checkpoints;
  if (!isStored && session.settings.attach === 'together')
    return 'Nothing of this job is stored. Run it with --state DIR to keep checkpoints.';
  if (!isStored)
    return unkept ?? 'Checkpoints are off: the setting sluice.checkpoints.enabled, or SLUICE_CHECKPOINTS=off.';
  return settingsOf(session) ? undefined : 'The notebook wants no checkpoints: configure({ checkpoint: false }).';
}

/**
 * A job that is started again has no failed operators, so a checkpoint with one would have a hole:
 * the operator declines it. In a notebook an operator stays failed after a restart. undefined:
 * none.
 */
function declining({ settings, cells }: Session): string | undefined {
  if (settings.attach === 'each') return undefined;
  for (const { active } of cells.values())
    for (const { name, partitions } of active?.failures ?? []) if (!partitions) return `"${name}" has failed.`;
  return undefined;
}

/** Something has run, so there is something to come back to. */
export function hasState({ cells }: Session): boolean {
  return [...cells.values()].some(({ active }) => active !== undefined);
}

/** The next snapshot has to be a checkpoint, and it is time. */
export function isCheckpointDue(session: Session, now: number): boolean {
  const { offered, asked, writing, notBefore, isUrgent } = session.checkpoints;
  if (offered || asked.length > 0 || !hasState(session)) return false;
  if (isUrgent) return true;
  if (!isKept(session)) return now >= session.recovery.notBefore;
  return writing.length === 0 && now >= notBefore;
}

/**
 * Gives the next barrier an id. If checkpoints are kept, a snapshot between two of them has none.
 * Otherwise each snapshot is a checkpoint.
 */
export function withNextCheckpoint(session: Session, now: number): { readonly session: Session; readonly id: number } {
  const { checkpoints } = session;
  const id = checkpoints.nextId;
  const asked = [...checkpoints.asked, { id, at: now }];
  return { session: { ...session, checkpoints: { ...checkpoints, asked, nextId: id + 1, isUrgent: false } }, id };
}

/** The parts of this checkpoint have been merged. `id` absent: the snapshot was none. */
export function checkpointTaken(session: Session, id: number | undefined, emit: Emit): Session {
  const { checkpoints } = session;
  if (id === undefined) return session;
  const taken = checkpoints.asked.find((one) => one.id === id);
  const asked = checkpoints.asked.filter((one) => one.id > id);
  if (!taken) {
    emit({ kind: 'checkpoint-aborted', checkpoint: id });
    return session;
  }
  const kept = keptSettings(session);
  const isWritten = kept !== undefined || checkpoints.savepoints.length > 0;
  const failed = declining(session) ?? (isWritten ? upgradeWaits(session) : undefined);
  if (failed !== undefined) {
    emit({ kind: 'checkpoint-aborted', checkpoint: id });
    return { ...session, checkpoints: failedBy({ ...checkpoints, asked }, id, taken.at, failed) };
  }
  if (isWritten) {
    const content = contentOf(session, id, taken.at);
    for (const { request, directory } of checkpoints.savepoints)
      emit({ kind: 'store-savepoint', request, directory, content });
    if (kept) emit({ kind: 'store-checkpoint', content, retained: kept.retained });
  }
  if (!kept) {
    emit({ kind: 'checkpoint-complete', checkpoint: id });
    const completed = checkpoints.completed + 1;
    return { ...session, checkpoints: { ...checkpoints, asked, savepoints: [], completed, completeId: id } };
  }
  const writing = [...checkpoints.writing, { id, takenAt: taken.at }];
  const notBefore = taken.at + kept.intervalMillis - halfHeartbeat;
  const unstored = takenInCheckpoint(session, checkpoints, id);
  return { ...session, checkpoints: { ...checkpoints, asked, writing, notBefore, savepoints: [], unstored } };
}

function contentOf(session: Session, id: number, takenAt: number): SavedCheckpoint {
  return { id, takenAt, saved: saveSession(session), parts: partsToRestore(session.recovery) };
}

export function checkpointStored(
  session: Session,
  event: Extract<SessionEvent, { kind: 'checkpoint-stored' }>,
  now: number,
  emit: Emit,
): Session {
  const { checkpoints } = session;
  const { id, bytes, newBytes } = event;
  const written = checkpoints.writing.find((one) => one.id === id);
  if (!written) return session;
  emit({ kind: 'checkpoint-complete', checkpoint: id });
  const last: StoredCheckpoint = { id, takenAt: written.takenAt, bytes, newBytes, millis: now - written.takenAt };
  const completed = checkpoints.completed + 1;
  const stored = { ...session, checkpoints: { ...without(checkpoints, id, last), last, completed, completeId: id } };
  return withStoredRuns(stored, id, emit);
}

/** The directory has refused it. The former checkpoints are whole. */
export function checkpointFailed(session: Session, id: number, message: string, emit: Emit): Session {
  const { checkpoints } = session;
  const written = checkpoints.writing.find((one) => one.id === id);
  if (!written) return session;
  emit({ kind: 'checkpoint-aborted', checkpoint: id });
  return { ...session, checkpoints: failedBy(checkpoints, id, written.takenAt, message) };
}

/** Called once a second: a barrier that does not come through holds a checkpoint back. */
export function giveUpLateCheckpoints(session: Session, now: number, emit: Emit): Session {
  const longest = (settingsOf(session) ?? checkpointDefaults).timeoutMillis;
  let { checkpoints } = session;
  for (const { id, at } of checkpoints.asked) {
    if (now - at <= longest) continue;
    emit({ kind: 'checkpoint-aborted', checkpoint: id });
    const asked = checkpoints.asked.filter((one) => one.id !== id);
    checkpoints = failedBy({ ...checkpoints, asked }, id, at, `It took longer than ${longest / 1000} s.`);
  }
  // The executor gives its barrier up, and answers no more.
  if (checkpoints === session.checkpoints) return session;
  return { ...session, checkpoints, recovery: { ...session.recovery, isAwaited: false } };
}

/** The executor has given them up for a change, whose own checkpoint comes. */
export function withoutAsked(session: Session, givenUp: readonly number[] = []): Session {
  const { checkpoints } = session;
  if (givenUp.length === 0) return session;
  const asked = checkpoints.asked.filter(({ id }) => !givenUp.includes(id));
  return { ...session, checkpoints: { ...checkpoints, asked } };
}

/** The executor has ended, or the change that carried the barrier was not made. */
export function forgetAsked(session: Session): Session {
  const { checkpoints } = session;
  return checkpoints.asked.length === 0 ? session : { ...session, checkpoints: { ...checkpoints, asked: [] } };
}

function failedBy(checkpoints: Checkpoints, id: number, takenAt: number, message: string): Checkpoints {
  return { ...without(checkpoints, id, { id, takenAt, failed: message }), failed: checkpoints.failed + 1 };
}
function without(checkpoints: Checkpoints, id: number, shown: StoredCheckpoint | FailedCheckpoint): Checkpoints {
  const writing = checkpoints.writing.filter((one) => one.id !== id);
  return { ...checkpoints, writing, history: [...checkpoints.history, shown].slice(-shownCheckpoints) };
}

/** A savepoint, or the last checkpoint before the end: the next barrier enters at once. */
export function wantCheckpoint(session: Session): Session {
  return { ...session, checkpoints: { ...session.checkpoints, isUrgent: true } };
}
export function wantSavepoint(session: Session, { request, directory }: SavepointRequest, at: number): Session {
  const { checkpoints } = session;
  const savepoints = [...checkpoints.savepoints, { request, directory, at }];
  return { ...session, checkpoints: { ...checkpoints, savepoints, isUrgent: true } };
}
/** Nobody wants it any more, and no checkpoint has come for it. */
export function withoutSavepoint(session: Session, request: number): Session {
  const { checkpoints } = session;
  const savepoints = checkpoints.savepoints.filter((one) => one.request !== request);
  return { ...session, checkpoints: { ...checkpoints, savepoints } };
}
