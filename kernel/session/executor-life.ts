// Interrupt, the end of an executor, and its restoration. The cell that caused the end stays out;
// the others keep their state.
import type { ExecutorEvent, LocatedError, RunId, Whereabouts } from '../executor/executor-protocol.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import { noteWritten } from './armed-sinks.ts';
import { usesOf } from './dependencies.ts';
import type { Emit, SessionEvent } from './events.ts';
import { forgetAsked } from './checkpoints.ts';
import { judged, type JudgedMemory, outOfMemory } from './memory-blame.ts';
import { beginMutation } from './mutations.ts';
import { upgradePending } from './pending-upgrade.ts';
import { restartAfter, restarted } from './restarts.ts';
import { restoredCell, withoutNews } from './restored-cell.ts';
import { endRun } from './runs.ts';
import type { Cell, Run, Session } from './state.ts';
import { createSession, withActive, withCell } from './state.ts';
import { withStopped } from './stopped-operator.ts';
import { offerOf } from './own-offer.ts';
import { goneBack } from './waiting-change.ts';

const interruptTimer = 'interrupt';
const minute = 60_000;
/** An operator that was at work at so many ends of the executor is not restored again. */
const mostEnds = 3;

export function interrupt(session: Session, cell: string | undefined, now: number, emit: Emit): Session {
  const concerns = (run: Run): boolean => cell === undefined || run.cell === cell;
  let s = session;
  // A run that has not reached the executor ends here.
  for (const run of session.runs)
    if (concerns(run) && ['queued', 'compiling', 'compiled'].includes(run.status)) s = stop(s, run, now, emit);
  if (s.interrupt || (s.executor !== 'ready' && s.executor !== 'restoring')) return s;
  const id = s.nextInterrupt;
  emit({ kind: 'interrupt-executor', interrupt: id, cell });
  emit({ kind: 'set-timer', timer: interruptTimer, millis: s.settings.interruptMillis });
  return { ...s, interrupt: { id, cell }, nextInterrupt: id + 1 };
}

function stop(session: Session, run: Run, now: number, emit: Emit): Session {
  if (!session.runs.some((other) => other.id === run.id)) return session;
  return endRun(session, run, interrupted(run.cell), now, emit);
}

function interrupted(cell: string): LocatedError {
  return { code: 'interrupted', cell, message: `Cell "${cell}" was interrupted.` };
}

/**
 * The executor answered and has stopped what it could. A run that awaits something else is given
 * up.
 */
export function executorInterrupted(session: Session, id: number, now: number, emit: Emit): Session {
  const pending = session.interrupt;
  if (pending?.id !== id) return session;
  emit({ kind: 'clear-timer', timer: interruptTimer });
  let s: Session = { ...session, interrupt: undefined };
  for (const run of session.runs)
    if ((pending.cell === undefined || run.cell === pending.cell) && run.status !== 'committing')
      s = stop(s, run, now, emit);
  return s;
}

/** No answer: user code does not return. */
export function interruptTimedOut(session: Session, emit: Emit): Session {
  if (!session.interrupt) return session;
  emit({ kind: 'terminate-executor' });
  return { ...session, executor: 'ending' };
}

type Ended = Extract<SessionEvent, { kind: 'executor-ended' }> & { readonly memory?: JudgedMemory | undefined };
export function executorEnded(
  session: Session,
  end: Extract<SessionEvent, { kind: 'executor-ended' }>,
  now: number,
  emit: Emit,
): Session {
  const event: Ended = judged(session, end);
  const { whereabouts } = event;
  const asked = session.interrupt !== undefined;
  const whileRestoring = session.executor === 'restoring' || session.restoring.length > 0;
  emit({ kind: 'clear-timer', timer: interruptTimer });
  emit({ kind: 'drop-prepared-views' });
  let s: Session = {
    ...upgradePending(forgetAsked(noteWritten(session))),
    interrupt: undefined,
    mutation: undefined,
    restoring: [],
  };
  for (const run of session.runs)
    if (!['queued', 'compiling', 'compiled'].includes(run.status) && s.runs.some((other) => other.id === run.id))
      s = endRun(s, run, endOf(run.cell, event, asked), now, emit);
  s = goneBack({ ...s, pulls: new Map(), attachedPulls: new Set() });
  const restarting = restartOfEnd(s, event, asked, now);
  if (restarting) return waitForRestart(restarting, now, emit);
  if (whereabouts?.operator !== undefined) s = blame(s, event, whereabouts, whereabouts.operator, asked, emit);
  else if (whereabouts && !whileRestoring && !isEvaluated(session, whereabouts.cell))
    s = blameLeftBehind(s, event, whereabouts, asked, emit);
  if (!whereabouts && !asked) {
    s = { ...s, endsWithoutCause: [...s.endsWithoutCause.filter((at) => at > now - minute), now] };
    if (s.endsWithoutCause.length >= s.settings.endsWithoutCause) return standStill(s, endedAgain(s, event), now, emit);
  }
  if (whileRestoring) {
    // Each try drops the cell that caused the end. Without such a cell the tries would never end.
    if (!whereabouts) return standStill(s, endedWithoutCell(event.reason), now, emit);
    if (whereabouts.operator === undefined) s = dropCell(s, whereabouts.cell, whileEvaluated(event, whereabouts), emit);
  }
  emit({ kind: 'start-executor' });
  return { ...s, executor: 'starting', recovery: { ...s.recovery, isAwaited: false } };
}

/**
 * The strategy of the session decides, if it has one. A failure may have ended the executor: its
 * restart goes on, also while an interrupt is pending. An end that an interrupt asked for is no
 * failure.
 */
function restartOfEnd(session: Session, event: Ended, asked: boolean, now: number): Session | undefined {
  if (session.restarts.startsAt !== undefined) return session;
  if (asked) return undefined;
  const { whereabouts, memory, reason } = event;
  const cell = whereabouts?.cell ?? '';
  const error = memory
    ? outOfMemory(cell, memory)
    : { code: 'executor-ended', cell, message: `The thread of the cells has ended: ${reason}.` };
  return restartAfter(session, cell, error, now);
}
function waitForRestart(session: Session, now: number, emit: Emit): Session {
  emit({ kind: 'set-timer', timer: 'restart', millis: Math.max(0, (session.restarts.startsAt ?? now) - now) });
  return { ...session, executor: 'ending', recovery: { ...session.recovery, isAwaited: false } };
}
/** The delay is over. */
export function restartNow(session: Session, now: number, emit: Emit): Session {
  if (session.restarts.startsAt === undefined) return session;
  emit({ kind: 'start-executor' });
  return { ...restarted(session, now), executor: 'starting' };
}

function endOf(cell: string, event: Ended, asked: boolean): LocatedError {
  const { whereabouts, reason, memory } = event;
  if (whereabouts?.cell === cell && !whereabouts.operator) {
    if (asked) return interrupted(cell);
    if (memory) return outOfMemory(cell, memory);
    return { code: 'executor-ended', cell, message: `Cell "${cell}" ended the executor: ${reason}.` };
  }
  const guilty = whereabouts && described(whereabouts);
  let cause = reason;
  if (guilty && memory) cause = `${guilty} was at work when the thread held more memory than it may`;
  // For another reason, whoever is at work may be innocent.
  else if (guilty && asked) cause = `${guilty} did not return`;
  return {
    code: 'executor-ended',
    cell,
    message: `The run of cell "${cell}" was lost when the executor was ended: ${cause}. Run it again.`,
  };
}

function described({ cell, operator }: Whereabouts): string {
  return operator === undefined ? `cell "${cell}"` : `${operator} of cell "${cell}"`;
}

/**
 * An operator that does not return, or that needs too much memory, stays out when the others are
 * restored. One that was at work when the thread ended for another reason may be innocent: it stays
 * out when that happens for the third time.
 */
function blame(session: Session, event: Ended, guilty: Whereabouts, name: string, asked: boolean, emit: Emit): Session {
  const { cell } = guilty;
  const ends = (session.cells.get(cell)?.ends ?? 0) + 1;
  const s = withCell(session, cell, { ends });
  if (!asked && !event.memory && ends < mostEnds) return s;
  emit({ kind: 'show-errors', cell });
  const error: LocatedError = event.memory
    ? outOfMemory(cell, event.memory)
    : {
        code: 'operator-did-not-return',
        cell,
        message: notReturned(guilty, name, asked ? undefined : event.reason, ends),
      };
  return withStopped(s, cell, name, error);
}
function notReturned({ millis }: Whereabouts, name: string, reason: string | undefined, ends: number): string {
  const seconds = (millis / 1000).toFixed(1);
  if (reason === undefined) return `${name} had not returned for ${seconds} s when it was interrupted.`;
  return `${name} was at work each of ${ends} times that the executor ended, the last time for ${seconds} s: ${reason}.`;
}

/** A run of the cell is in the executor: what happens there is that run's. */
function isEvaluated(session: Session, cell: string): boolean {
  return session.runs.some((run) => run.cell === cell && !['queued', 'compiling', 'compiled'].includes(run.status));
}
/**
 * A timer, a callback or a promise that a former run of the cell left behind. To evaluate the cell
 * again would start it again, so all of the cell stays out.
 */
function blameLeftBehind(session: Session, event: Ended, guilty: Whereabouts, asked: boolean, emit: Emit): Session {
  const { cell, millis } = guilty;
  const ends = (session.cells.get(cell)?.ends ?? 0) + 1;
  const s = withCell(session, cell, { ends });
  if (event.memory) return dropCell(s, cell, outOfMemory(cell, event.memory), emit);
  if (!asked && ends < mostEnds) return s;
  const what = `A timer, a callback or a promise of cell "${cell}"`;
  const message = asked
    ? `${what} had not returned for ${(millis / 1000).toFixed(1)} s when it was interrupted.`
    : `${what} was at work each of ${ends} times that the executor ended: ${event.reason}.`;
  const hint = `Cell "${cell}" has stopped. All others continue. Edit and run the cell to resume.`;
  return dropCell(s, cell, { code: 'callback-did-not-return', cell, message, hint }, emit);
}

function whileEvaluated({ reason, memory }: Ended, { cell }: Whereabouts): LocatedError {
  if (memory) return outOfMemory(cell, memory);
  const message = `Cell "${cell}" ended the executor while it was evaluated again (${reason}). Run it again.`;
  return { code: 'executor-ended', cell, message };
}
/** It is not restored. */
function dropCell(session: Session, cell: string, error: LocatedError, emit: Emit): Session {
  emit({ kind: 'show-errors', cell });
  return withCell(session, cell, { active: undefined, error });
}

function endedWithoutCell(cause: string): string {
  return `The executor ended again while it was being restored, and no cell was at work (${cause}).`;
}
/** A job ends with this error: nobody is there who could restart its session. */
export function notRestored(session: Session, error: LocatedError, now: number, emit: Emit): Session {
  emit({ kind: 'graph-failed', error });
  return giveUp(session, endedWhileRestored(error.message), now, emit);
}
function endedWhileRestored(cause: string): string {
  return `The executor ended again while it was being restored (${cause}). Restart the session.`;
}
function endedAgain({ endsWithoutCause }: Session, event: Ended): string {
  return (
    `The executor ended ${endsWithoutCause.length} times within a minute, and no cell was at work ` +
    `(${event.reason}). A timer or a promise of one of the cells may end it.`
  );
}

/**
 * Nothing is restored any more by itself. What ran is offered like the checkpoint of an earlier
 * kernel: the user resumes it, perhaps without a cell, or starts fresh.
 */
function standStill(session: Session, because: string, now: number, emit: Emit): Session {
  const offered = offerOf(session, because, now);
  if (!offered) return giveUp(session, `${because} Restart the session.`, now, emit);
  const message = `${because} Choose Resume to try again from the last state, or Start Fresh.`;
  const { settings, document, documents, requests, cells, nextRun, nextInterrupt, clients, checkpoints } = giveUp(
    session,
    message,
    now,
    emit,
  );
  emit({ kind: 'start-executor' });
  return {
    ...createSession(settings, { ...checkpoints, offered }),
    ...{ document, documents, requests, cells, nextRun, nextInterrupt, clients, restarts: session.restarts },
    epoch: session.epoch,
  };
}

/** Nothing is restored any more. */
export function giveUp(session: Session, message: string, now: number, emit: Emit): Session {
  let s: Session = { ...session, executor: 'broken', brokenBy: message };
  for (const run of session.runs)
    if (s.runs.some((other) => other.id === run.id))
      s = endRun(s, run, { code: 'executor-broken', cell: run.cell, message }, now, emit);
  const cells = new Map([...s.cells].map(([id, cell]) => [id, cell.active ? broken(cell, message) : cell]));
  for (const id of cells.keys()) emit({ kind: 'show-errors', cell: id });
  return { ...s, cells };
}
function broken(cell: Cell, message: string): Cell {
  return { ...cell, active: undefined, error: { code: 'executor-broken', cell: cell.id, message } };
}

/**
 * A new executor first evaluates the cells that ran, because it needs their functions; definitions
 * come before their users.
 * Then one mutation brings the operators and their state back.
 */
export function executorReady(session: Session, now: number, planner: LivePlanner, emit: Emit): Session {
  const restoring = definitionsFirst(session);
  // Removed sinks may have rows to commit, also when no cell is left.
  if (restoring.length === 0 && session.recovery.retired.length === 0) return { ...session, executor: 'ready' };
  const s = withoutNews(withoutFailedPartitions(session, emit));
  return evaluateNext({ ...s, executor: 'restoring', restoring }, now, planner, emit);
}
/** They are tried again, and report their errors again. */
function withoutFailedPartitions(session: Session, emit: Emit): Session {
  let s = session;
  for (const [id, { active }] of session.cells) {
    const failures = active?.failures.filter(({ partitions }) => !partitions);
    if (!failures || failures.length === active?.failures.length) continue;
    s = withActive(s, id, { failures });
    emit({ kind: 'show-errors', cell: id });
  }
  return s;
}

/** A definition may have run again after its user, so the order of the runs does not help. */
function definitionsFirst(session: Session): RunId[] {
  const order: RunId[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const active = session.cells.get(id)?.active;
    if (!active || seen.has(id)) return;
    seen.add(id);
    for (const { cell } of usesOf(session, id, active.compiled)) visit(cell);
    order.push(active.run);
  };
  for (const id of session.cells.keys()) visit(id);
  return order;
}

function evaluateNext(session: Session, now: number, planner: LivePlanner, emit: Emit): Session {
  const [run] = session.restoring;
  if (run === undefined) {
    const begun = beginMutation(session, undefined, now, planner, emit);
    return begun.error ? notRestored(begun.session, begun.error, now, emit) : begun.session;
  }
  const cell = cellOfRun(session, run);
  if (!cell?.active) return evaluateNext({ ...session, restoring: session.restoring.slice(1) }, now, planner, emit);
  const { version, compiled, kept, used } = cell.active;
  const uses = usesOf(session, cell.id, compiled);
  emit({ kind: 'evaluate', run, cell: cell.id, version, compiled, uses, restore: kept, used });
  return session;
}

/** The first cell of those that are evaluated again has been, or has failed. */
export function restoredRun(
  session: Session,
  event: Extract<ExecutorEvent, { kind: 'evaluated' | 'evaluation-failed' }>,
  now: number,
  planner: LivePlanner,
  emit: Emit,
): Session {
  const { run } = event;
  const cell = cellOfRun(session, run);
  let s: Session = { ...session, restoring: session.restoring.filter((other) => other !== run) };
  if (cell && event.kind === 'evaluated') {
    emit({ kind: 'commit', run });
    const restored = restoredCell(s, cell, event, emit);
    if (restored.error) return notRestored(restored.session, restored.error, now, emit);
    s = restored.session;
  }
  if (cell && event.kind === 'evaluation-failed') {
    s = withActive(s, cell.id, { stopped: true, failures: [{ name: cell.id, error: event.error }] });
    emit({ kind: 'show-errors', cell: cell.id });
  }
  return evaluateNext(s, now, planner, emit);
}

export function isRestoring(session: Session, run: RunId): boolean {
  return session.executor === 'restoring' && session.restoring[0] === run;
}

function cellOfRun(session: Session, run: RunId): Cell | undefined {
  return [...session.cells.values()].find((cell) => cell.active?.run === run);
}
