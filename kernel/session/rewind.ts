// Back to an older checkpoint. The target of a sink has given up a transaction of checkpoint n, so
// its rows are in no reader's sight and in no state. The checkpoint before n still has them: from
// there they are made again.
//
//   transaction-expired ─► executor ends ──┐
//            └─► directory is read ────────┴─► restored from n − 1, with a warning
//                        └─there is none────────► broken: one error
//
// What other sinks had committed with n is made again too, so the warning names them.
//
// A job that has started with the state of a checkpoint, and with other functions or constants than
// that one has, keeps its own: the older checkpoint gives the state alone.
import { isSink } from '../../engine/graph/kinds.ts';
import type { ExecutorEvent, LocatedError } from '../executor/executor-protocol.ts';
import type { Rewind, SavedCheckpoint } from './checkpoint-state.ts';
import type { Emit, SessionEvent } from './events.ts';
import { giveUp } from './executor-life.ts';
import { restarted } from './restarts.ts';
import { readSavedSession, withSaved } from './saved-session.ts';
import type { Session } from './state.ts';
import { withActive } from './state.ts';
import type { Upgrade } from './upgrade.ts';

type Failed = Extract<ExecutorEvent, { kind: 'operator-failed' }>;

/** undefined: the failure is another one, or nothing is stored. */
export function rewindAfter(session: Session, event: Failed, now: number, emit: Emit): Session | undefined {
  const { cell, instance, error } = event;
  const { isStored, completeId } = session.checkpoints;
  if (error.code !== 'transaction-expired' || !isStored || completeId === 0) return undefined;
  const before = Math.min(error.checkpoint ?? completeId, completeId);
  emit({ kind: 'read-older-checkpoint', before });
  emit({ kind: 'terminate-executor' });
  const rewind: Rewind = { before, cell, instance, error, isDue: false };
  // Figures of operators that go on from an older state.
  const { metrics: _old, ...rest } = session;
  return { ...rest, executor: 'ending', restarts: { ...session.restarts, rewind, startsAt: now } };
}

export function olderRead(
  session: Session,
  { before, found, problem }: Extract<SessionEvent, { kind: 'older-checkpoint' }>,
  now: number,
  emit: Emit,
): Session {
  const { rewind } = session.restarts;
  if (rewind?.before !== before) return session;
  return rewound(session, { ...rewind, answer: { found, problem } }, now, emit);
}
/** The executor has ended. */
export function rewindIsDue(session: Session, rewind: Rewind, now: number, emit: Emit): Session {
  return rewound(session, { ...rewind, isDue: true }, now, emit);
}

function rewound(session: Session, rewind: Rewind, now: number, emit: Emit): Session {
  const { answer, isDue } = rewind;
  if (!answer || !isDue) return { ...session, restarts: { ...session.restarts, rewind } };
  const { rewind: _over, ...restarts } = session.restarts;
  const s = restarted({ ...session, restarts }, now);
  if (!answer.found) return withoutOlder(s, rewind, now, emit);
  const { found } = answer;
  const text = warning(session, rewind, found);
  emit({ kind: 'warn', text });
  emit({ kind: 'start-executor' });
  const back = backAt(s, found, now, emit);
  const { active } = back.cells.get(rewind.cell) ?? {};
  return {
    ...withActive(back, rewind.cell, { notes: [...(active?.notes ?? []), text] }),
    checkpoints: { ...back.checkpoints, completeId: found.id, resumedFrom: found.takenAt },
    executor: 'starting',
  };
}

function backAt(session: Session, found: SavedCheckpoint, now: number, emit: Emit): Session {
  const saved = readSavedSession(found.saved);
  const back = withSaved(session, saved, found, now, emit);
  const { id, takenAt, parts } = found;
  if (id > (session.checkpoints.upgradedFrom ?? 0)) return back;
  const upgrade: Upgrade = { id, takenAt, plan: saved.plan, parts, mayLeaveOut: true };
  return { ...back, cells: session.cells, checkpoints: { ...back.checkpoints, upgrade } };
}

function warning(
  session: Session,
  { before, error, instance }: Rewind,
  { id, takenAt }: { readonly id: number; readonly takenAt: number },
): string {
  const time = new Date(takenAt).toISOString();
  const what = `${sentence(error.message)} So checkpoint ${before} is not used, and the session goes on from checkpoint ${id} of ${time}.`;
  const others = session.plan.nodes.filter((node) => isSink(node) && node.id !== instance);
  const names = others.map(({ name, group }) => (group === '' ? name : `${name} of ${group}`));
  if (names.length === 0) return what;
  return `${what} Rows of after that time are written again by the other sinks, which had committed them: ${names.join(', ')}.`;
}
function sentence(text: string): string {
  return text.replace(/\.?$/, '.');
}

function withoutOlder(session: Session, { error, cell, before, answer }: Rewind, now: number, emit: Emit): Session {
  const why = answer?.problem ?? `No checkpoint before ${before} is kept.`;
  const message =
    `${sentence(error.message)} ${sentence(why)} Start fresh, or from a savepoint, and keep more checkpoints: ` +
    'configure({ checkpoint: { interval, retained } }).';
  const failed: LocatedError = { ...error, cell, message };
  emit({ kind: 'graph-failed', error: failed });
  return giveUp(session, message, now, emit);
}
