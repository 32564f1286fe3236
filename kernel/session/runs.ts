// The queue of runs: which run has the turn, which cells run first, how a run ends.
// Evaluation and commit are serialised; waiting for a pull is not.
import type { ExecutorEvent, LocatedError, RunId } from '../executor/executor-protocol.ts';
import type { RunResult } from '../protocol/messages.ts';
import { capturedNow, cycleOf, duplicateName, neededFirst, notebookFor, usesOf } from './dependencies.ts';
import type { Emit } from './events.ts';
import type { Compiled, Run, RunStatus, Session } from './state.ts';
import { withCell, withoutPullsOf, withRun } from './state.ts';
import { withoutFailedRun } from './unstored-runs.ts';
import { shared, withModules } from './used-by-cells.ts';

const holdsTurn: ReadonlySet<RunStatus> = new Set<RunStatus>(['compiling', 'compiled', 'evaluating', 'committing']);

export function requestRun(session: Session, request: number, cells: readonly string[], emit: Emit): Session {
  if (cells.length === 0 || session.executor === 'broken') {
    emit({ kind: 'answer', request, results: cells.slice(0, 1).map((cell) => notWhileBroken(session, cell)) });
    return session;
  }
  if (session.checkpoints.offered) {
    emit({ kind: 'answer', request, results: cells.slice(0, 1).map(notBeforeChoice) });
    return session;
  }
  let { nextRun } = session;
  const runs = cells.map((cell) => newRun(nextRun++, request, cell, true));
  const requests = new Map(session.requests).set(request, { id: request, results: [] });
  return { ...session, runs: [...session.runs, ...runs], requests, nextRun };
}

function notWhileBroken({ brokenBy: message = '' }: Session, cell: string): RunResult {
  return { cell, ok: false, ranFirst: [], error: { code: 'executor-broken', message }, millis: 0 };
}

/** A run would hide the state that an earlier process has left. */
function notBeforeChoice(cell: string): RunResult {
  const message =
    'This notebook has a checkpoint of an earlier session. Choose Resume to go on from it, or Start Fresh to ' +
    'remove it, and run the cell then.';
  return { cell, ok: false, ranFirst: [], error: { code: 'resume-first', message }, millis: 0 };
}

function newRun(id: RunId, request: number, cell: string, asked: boolean, neededBy?: RunId): Run {
  return { id, request, cell, asked, status: 'queued', ranFirst: [], text: '', neededBy };
}

/** Gives the turn to the next run until no run can go on. Called at the end of every step. */
export function giveTurns(session: Session, now: number, emit: Emit): Session {
  let s = session;
  for (;;) {
    const next = nextMove(s);
    if (!next) return s;
    if (next.status === 'compiled') s = evaluate(s, next, emit);
    else if (isSuperfluous(s, next)) s = { ...s, runs: s.runs.filter((run) => run !== next) };
    else s = compile(s, next, now, emit);
  }
}

function nextMove(s: Session): Run | undefined {
  if (s.executor === 'broken') return undefined;
  const holder = s.runs.find((run) => holdsTurn.has(run.status));
  if (holder) return holder.status === 'compiled' && s.executor === 'ready' ? holder : undefined;
  // An evaluated run waits only for its mutation and comes before new runs.
  if (s.runs.some((run) => run.status === 'evaluated')) return undefined;
  return s.runs.find((run, index) => run.status === 'queued' && !waits(run, s.runs.slice(0, index)));
}

/** Another client's run has brought what this one was to bring. */
function isSuperfluous(s: Session, run: Run): boolean {
  return !run.asked && s.cells.get(run.cell)?.active !== undefined;
}

/** A run waits for the runs before it in its own request, and for those of the same cell. */
function waits(run: Run, before: readonly Run[]): boolean {
  return before.some((other) => other.request === run.request || other.cell === run.cell);
}

function compile(session: Session, run: Run, now: number, emit: Emit): Session {
  const cell = session.cells.get(run.cell);
  if (!cell || cell.deleted || !session.document.some(({ id, kind }) => id === run.cell && kind === 'code')) {
    emit({ kind: 'run-started', cell: run.cell });
    return endRun(session, run, refusal(session, run.cell), now, emit);
  }
  if (run.startedAt === undefined) {
    emit({ kind: 'run-started', cell: run.cell });
    emit({ kind: 'clear-log', cell: run.cell });
  }
  const started: Partial<Run> = { status: 'compiling', startedAt: run.startedAt ?? now, text: cell.text };
  const s = withCell(withRun(session, run.id, started), run.cell, { error: undefined });
  emit({ kind: 'show-errors', cell: run.cell });
  emit({ kind: 'compile', run: run.id, cell: run.cell, cells: notebookFor(s, run.cell) });
  return s;
}

function refusal(session: Session, cell: string): LocatedError {
  if (session.document.some(({ id, kind }) => id === cell && kind === 'test'))
    return { code: 'not-yet', cell, message: 'not-yet: test cells come in a later version' };
  return { code: 'unknown-cell', cell, message: `There is no cell "${cell}" in this notebook.` };
}

export function compiled(session: Session, id: RunId, result: Compiled, now: number, emit: Emit): Session {
  const run = session.runs.find((candidate) => candidate.id === id && candidate.status === 'compiling');
  if (!run) return session;
  const problem = duplicateName(session, run.cell, result) ?? cycleOf(session, run.cell, result);
  if (problem) return endRun(session, run, problem, now, emit);
  const needed = neededFirst(session, run.cell, result);
  const failed = session.requests.get(run.request)?.results.find(({ cell, ok }) => !ok && needed.includes(cell));
  if (failed?.error) return endRun(session, run, neededCellFailed(run, failed.cell, failed.error), now, emit);
  if (needed.length > 0) return runFirst(session, run, needed);
  return withRun(session, id, { status: 'compiled', compiled: result });
}

/**
 * Puts the needed cells before the run. A run that waits further back in the same request comes
 * forward.
 */
function runFirst(session: Session, run: Run, needed: readonly string[]): Session {
  let { nextRun } = session;
  let runs = session.runs;
  const first: Run[] = [];
  for (const cell of needed) {
    const waiting = runs.find((other) => other.cell === cell && other.request === run.request);
    if (waiting?.status === 'queued') {
      runs = runs.filter((other) => other !== waiting);
      first.push({ ...waiting, neededBy: run.id });
    } else first.push(newRun(nextRun++, run.request, cell, false, run.id));
  }
  const at = runs.findIndex((other) => other.id === run.id);
  const again: Run = { ...run, status: 'queued', ranFirst: [...run.ranFirst, ...needed] };
  return { ...session, nextRun, runs: [...runs.slice(0, at), ...first, again, ...runs.slice(at + 1)] };
}

function evaluate(session: Session, run: Run, emit: Emit): Session {
  const cell = session.cells.get(run.cell);
  if (!cell || !run.compiled) return session;
  const version = cell.active?.text === run.text ? cell.version : cell.version + 1;
  const uses = usesOf(session, run.cell, run.compiled);
  emit({ kind: 'evaluate', run: run.id, cell: run.cell, version, compiled: run.compiled, uses });
  return withRun(withCell(session, run.cell, { version }), run.id, { status: 'evaluating' });
}

type Evaluated = Extract<ExecutorEvent, { kind: 'evaluated' }>;
export function evaluated(session: Session, event: Evaluated): Session {
  const run = session.runs.find((candidate) => candidate.id === event.run);
  const cell = run && session.cells.get(run.cell);
  if (!run?.compiled || !cell || (run.status !== 'evaluating' && run.status !== 'pulling')) return session;
  const { fragment, exports, displayed, kept, used, paths } = event;
  return withRun(session, run.id, {
    status: 'evaluated',
    candidate: {
      run: run.id,
      version: cell.version,
      text: run.text,
      compiled: withModules(run.compiled, paths),
      captured: capturedNow(session, run.cell, run.compiled),
      ...{ fragment, exports, displayed, kept },
      ...(used && { used: shared(session, used) }),
      stopped: false,
      failures: [],
      notes: [],
      changedModules: [],
    },
  });
}

export function failRun(session: Session, id: RunId, error: LocatedError, now: number, emit: Emit): Session {
  const run = session.runs.find((candidate) => candidate.id === id);
  return run ? endRun(session, run, error, now, emit) : session;
}

/** Ends a run, with an error or as done. A run that failed ends the rest of its request too. */
export function endRun(session: Session, run: Run, error: LocatedError | undefined, now: number, emit: Emit): Session {
  let s: Session = { ...session, runs: session.runs.filter((other) => other.id !== run.id) };
  s = withoutPullsOf(s, run.id);
  if (error) {
    if (run.status !== 'queued' && run.status !== 'compiling') emit({ kind: 'discard', run: run.id });
    s = withCell(s, run.cell, { error });
    s = withoutFailedRun(s, run.cell, run.text, emit);
    emit({ kind: 'show-errors', cell: run.cell });
  }
  const result = resultOf(run, error, now);
  emit({ kind: 'run-ended', cell: run.cell, result });
  const request = s.requests.get(run.request);
  if (request && run.asked) {
    const results = [...request.results, result];
    s = { ...s, requests: new Map(s.requests).set(run.request, { ...request, results }) };
  }
  if (error) s = stopRequest(s, run, error, now, emit);
  return answerIfDone(s, run.request, emit);
}

function neededCellFailed({ cell }: Run, failed: string, { message }: { readonly message: string }): LocatedError {
  return {
    code: 'needed-cell-failed',
    cell,
    message: `Cell "${cell}" needs cell "${failed}", which failed: ${message}`,
  };
}

/**
 * Run All stops at the first cell that fails. Waiting runs are dropped; a run that needed the cell
 * fails too. A job goes on with the cells that do not need it.
 */
function stopRequest(session: Session, failed: Run, error: LocatedError, now: number, emit: Emit): Session {
  const needing = session.runs.find((run) => run.id === failed.neededBy);
  if (needing) return endRun(session, needing, neededCellFailed(needing, failed.cell, error), now, emit);
  if (session.settings.attach === 'together') return session;
  const runs = session.runs.filter((run) => run.request !== failed.request || run.startedAt !== undefined);
  return { ...session, runs };
}

function answerIfDone(session: Session, id: number, emit: Emit): Session {
  const request = session.requests.get(id);
  if (!request || session.runs.some((run) => run.request === id)) return session;
  emit({ kind: 'answer', request: id, results: request.results });
  const requests = new Map(session.requests);
  requests.delete(id);
  return { ...session, requests };
}

function resultOf(run: Run, error: LocatedError | undefined, now: number): RunResult {
  const { ranFirst } = run;
  return {
    cell: run.cell,
    ok: !error,
    ranFirst,
    ...(error && {
      error: { code: error.code, message: error.message, line: error.line, column: error.column },
    }),
    millis: run.startedAt === undefined ? 0 : now - run.startedAt,
  };
}
