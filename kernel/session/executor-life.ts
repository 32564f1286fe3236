// Interrupt, the end of an executor, and its restoration. The cell that caused the end stays out;
// the others keep their state.
import type { LocatedError, RunId, Whereabouts } from '../executor/executor-protocol.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import { usesOf } from './dependencies.ts';
import type { Emit, SessionEvent } from './events.ts';
import { beginMutation } from './mutations.ts';
import { endRun } from './runs.ts';
import type { Cell, Run, Session } from './state.ts';
import { withActive, withCell } from './state.ts';

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

type Ended = Extract<SessionEvent, { kind: 'executor-ended' }>;
export function executorEnded(session: Session, event: Ended, now: number, emit: Emit): Session {
  const { whereabouts } = event;
  const asked = session.interrupt !== undefined;
  const whileRestoring = session.executor === 'restoring' || session.restoring.length > 0;
  emit({ kind: 'clear-timer', timer: interruptTimer });
  emit({ kind: 'drop-prepared-views' });
  let s: Session = { ...session, interrupt: undefined, mutation: undefined, restoring: [] };
  for (const run of session.runs)
    if (!['queued', 'compiling', 'compiled'].includes(run.status) && s.runs.some((other) => other.id === run.id))
      s = endRun(s, run, endOf(run.cell, event, asked), now, emit);
  s = { ...s, pulls: new Map(), attachedPulls: new Set() };
  if (whereabouts?.operator !== undefined) s = blame(s, event, whereabouts, whereabouts.operator, asked, emit);
  if (!whereabouts && !asked) {
    s = { ...s, endsWithoutCause: [...s.endsWithoutCause.filter((at) => at > now - minute), now] };
    if (s.endsWithoutCause.length >= s.settings.endsWithoutCause) return giveUp(s, endedAgain(s, event), now, emit);
  }
  if (whileRestoring) {
    // Each try drops the cell that caused the end. Without such a cell the tries would never end.
    if (!whereabouts) return giveUp(s, endedWhileRestored(event.reason), now, emit);
    if (whereabouts.operator === undefined) s = dropCell(s, whereabouts.cell, event, emit);
  }
  emit({ kind: 'start-executor' });
  return { ...s, executor: 'starting', recovery: { ...s.recovery, isAwaited: false } };
}

function endOf(cell: string, event: Ended, asked: boolean): LocatedError {
  const { whereabouts, reason, memory } = event;
  if (whereabouts?.cell === cell && !whereabouts.operator) {
    if (asked) return interrupted(cell);
    if (memory) return outOfMemory(cell, memory);
    return { code: 'executor-ended', cell, message: `Cell "${cell}" ended the executor: ${reason}.` };
  }
  const guilty = whereabouts && described(whereabouts);
  const cause = guilty ? `${guilty} ${memory ? 'needed more memory than it may' : 'did not return'}` : reason;
  return {
    code: 'executor-ended',
    cell,
    message: `The run of cell "${cell}" was lost when the executor was ended: ${cause}. Run it again.`,
  };
}

function described({ cell, operator }: Whereabouts): string {
  return operator === undefined ? `cell "${cell}"` : `${operator} of cell "${cell}"`;
}

/** The cell at work needed the memory, or one that had filled it before. */
function outOfMemory(cell: string, { limitMegabytes, heldMegabytes }: MemoryEnd): LocatedError {
  return {
    code: 'out-of-memory',
    cell,
    message:
      `Cell "${cell}" needed more memory than the session may hold ` +
      `(sluice.memory: ${limitMegabytes} MB; the thread held ${heldMegabytes.toLocaleString('en-US')} MB). ` +
      'Let it keep less, with a window, a time to live or a limit, or raise the setting and restart the session.',
  };
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
  const hint =
    `Cell "${cell}" and the operators that read from it have stopped. All others continue. ` +
    'Edit and run the cell to resume.';
  const error: LocatedError = event.memory
    ? outOfMemory(cell, event.memory)
    : {
        code: 'operator-did-not-return',
        cell,
        message: notReturned(guilty, name, asked ? undefined : event.reason, ends),
      };
  return withActive(s, cell, { stopped: true, failures: [{ name, error: { ...error, hint } }] });
}
function notReturned({ millis }: Whereabouts, name: string, reason: string | undefined, ends: number): string {
  const seconds = (millis / 1000).toFixed(1);
  if (reason === undefined) return `${name} had not returned for ${seconds} s when it was interrupted.`;
  return `${name} was at work each of ${ends} times that the executor ended, the last time for ${seconds} s: ${reason}.`;
}

function dropCell(session: Session, cell: string, event: Ended, emit: Emit): Session {
  emit({ kind: 'show-errors', cell });
  const message = `Cell "${cell}" ended the executor while it was evaluated again (${event.reason}). Run it again.`;
  const error = event.memory ? outOfMemory(cell, event.memory) : { code: 'executor-ended', cell, message };
  return withCell(session, cell, { active: undefined, error });
}

export function endedWhileRestored(cause: string): string {
  return `The executor ended again while it was being restored (${cause}). Restart the session.`;
}
function endedAgain({ endsWithoutCause }: Session, event: Ended): string {
  return (
    `The executor ended ${endsWithoutCause.length} times within a minute, and no cell was at work ` +
    `(${event.reason}). Restart the session and run its cells one after another: a timer or a promise of one of ` +
    'them may end it.'
  );
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
  if (restoring.length === 0) return { ...session, executor: 'ready' };
  return evaluateNext({ ...session, executor: 'restoring', restoring }, now, planner, emit);
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
    const begun = beginMutation(session, undefined, planner, emit);
    return begun.error ? giveUp(begun.session, endedWhileRestored(begun.error.message), now, emit) : begun.session;
  }
  const cell = cellOfRun(session, run);
  if (!cell?.active) return evaluateNext({ ...session, restoring: session.restoring.slice(1) }, now, planner, emit);
  const { version, compiled, kept } = cell.active;
  const uses = usesOf(session, cell.id, compiled);
  emit({ kind: 'evaluate', run, cell: cell.id, version, compiled, uses, restore: kept });
  return session;
}

export function restoredRun(
  session: Session,
  run: RunId,
  error: LocatedError | undefined,
  now: number,
  planner: LivePlanner,
  emit: Emit,
): Session {
  const cell = cellOfRun(session, run);
  let s: Session = { ...session, restoring: session.restoring.filter((other) => other !== run) };
  if (cell && !error) emit({ kind: 'commit', run });
  if (cell && error) {
    s = withActive(s, cell.id, { stopped: true, failures: [{ name: cell.id, error }] });
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
