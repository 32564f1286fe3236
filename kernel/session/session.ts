// The session as a pure function: (state, event, now) → (state, effects). Timers, threads and
// sockets are in `server/`.
import type { ExecutorEvent, LocatedError } from '../executor/executor-protocol.ts';
import { planLive } from '../live/planner.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import { arm } from './armed-sinks.ts';
import { displayEnded } from './displayed.ts';
import { asClientHasThem, deleteCell, graceIsOver, sync } from './document.ts';
import type { Emit, SessionEffect, SessionEvent, SessionExecutorEvent } from './events.ts';
import {
  executorEnded,
  executorInterrupted,
  executorReady,
  interrupt,
  interruptTimedOut,
  isRestoring,
  notRestored,
  restartNow,
  restoredRun,
} from './executor-life.ts';
import {
  commitWithoutGraph,
  hasEvaluatedAll,
  mutated,
  mutateIfNeeded,
  mutationFailed,
  withoutPull,
} from './mutations.ts';
import { reasonOfEnd } from './leaving-sinks.ts';
import { rowRefused } from './left-out-rows.ts';
import {
  checkpointFailed,
  checkpointStored,
  giveUpLateCheckpoints,
  wantCheckpoint,
  wantSavepoint,
  withoutAsked,
  withoutSavepoint,
} from './checkpoints.ts';
import { askForSnapshot, snapshotTaken } from './recovery.ts';
import { goesBackByItself, outageOver, restartAfter, withCause } from './restarts.ts';
import { choose } from './resume.ts';
import { olderRead, rewindAfter, rewindIsDue } from './rewind.ts';
import { compiled, evaluated, failRun, giveTurns, requestRun } from './runs.ts';
import type { OperatorFailure, Session } from './state.ts';
import { withActive, withRun } from './state.ts';
import { modulesChanged, modulesUsed } from './used-by-cells.ts';
import { changeAgain, withoutChangeAgain } from './waiting-change.ts';

export interface Step {
  readonly state: Session;
  readonly effects: readonly SessionEffect[];
}

/**
 * `now` is epoch milliseconds: figures for people and the next snapshot depend on it. `planner` is
 * a pure function.
 */
export function step(state: Session, event: SessionEvent, now: number, planner: LivePlanner = planLive): Step {
  const effects: SessionEffect[] = [];
  const emit: Emit = (effect) => void effects.push(effect);
  let next = handle(state, event, now, planner, emit);
  if (next.settings.attach === 'each') next = giveTurns(mutateIfNeeded(next, now, planner, emit), now, emit);
  else {
    next = giveTurns(commitWithoutGraph(next, now, emit), now, emit);
    if (hasEvaluatedAll(next)) next = mutateIfNeeded(next, now, planner, emit);
  }
  return { state: next, effects };
}

/** Events of clients, clock and compiler. */
function handle(s: Session, event: SessionEvent, now: number, planner: LivePlanner, emit: Emit): Session {
  switch (event.kind) {
    case 'sync':
      return sync(s, event, now, emit);
    case 'run':
      return requestRun(
        asClientHasThem(withoutChangeAgain(s, event.cells), event.client ?? '', event.cells, now, emit),
        event.request,
        event.cells,
        emit,
      );
    case 'interrupt':
      return interrupt(s, event.cell, now, emit);
    case 'delete':
      return deleteCell(s, event.client ?? '', event.cell, now, emit);
    case 'arm':
      return arm(withoutChangeAgain(s, [event.cell]), event.cell, event.armed);
    case 'client-joined':
      emit({ kind: 'clear-timer', timer: 'idle' });
      return { ...s, clients: new Set(s.clients).add(event.client) };
    case 'client-left':
      return clientLeft(s, event.client, emit);
    case 'shutdown':
      emit({ kind: 'end-session', reason: reasonOfEnd('The session was shut down.', s) });
      return s;
    case 'timer':
      return timer(s, event.timer, now, emit);
    case 'compiled':
      return compiled(s, event.run, event.compiled, now, emit);
    case 'compilation-failed':
      return failRun(s, event.run, event.error, now, emit);
    case 'modules-changed':
      return modulesChanged(s, event.modules);
    case 'heartbeat':
      return askForSnapshot(giveUpLateCheckpoints(s, now, emit), now, emit);
    case 'checkpoint-stored':
      return checkpointStored(s, event, now, emit);
    case 'checkpoint-failed':
      return checkpointFailed(s, event.id, event.message, emit);
    case 'older-checkpoint':
      return olderRead(s, event, now, emit);
    case 'want-checkpoint':
      return askForSnapshot(wantCheckpoint(s), now, emit);
    case 'want-savepoint':
      return askForSnapshot(wantSavepoint(s, event, now), now, emit);
    case 'give-up-savepoint':
      return withoutSavepoint(s, event.request);
    case 'choose':
      return choose(s, event, now, planner, emit);
    case 'display-ended':
      return displayEnded(s, event);
    case 'stuck':
      return { ...s, stuck: event.whereabouts };
    case 'executor-ended':
      return executorEnded(s, event, now, emit);
    default:
      return handleExecutor(s, event, now, planner, emit);
  }
}

function handleExecutor(
  s: Session,
  event: SessionExecutorEvent,
  now: number,
  planner: LivePlanner,
  emit: Emit,
): Session {
  switch (event.kind) {
    case 'snapshot':
      return snapshotTaken(s, event, now, emit);
    case 'ready':
      return executorReady(s, now, planner, emit);
    case 'evaluated':
      if (isRestoring(s, event.run)) return restoredRun(s, event, now, planner, emit);
      return evaluated(s, event);
    case 'modules-used':
      return modulesUsed(s, event);
    case 'evaluation-failed':
      if (isRestoring(s, event.run)) return restoredRun(s, event, now, planner, emit);
      return failRun(s, event.run, event.error, now, emit);
    case 'pull-opened':
      return pullOpened(s, event);
    case 'pull-closed':
      return pullClosed(s, event.pull);
    case 'mutated':
      return mutated(withoutAsked(s, event.givenUp), event, now, emit);
    case 'caught-up':
      return changeAgain(s, emit);
    case 'mutation-failed':
      if (s.executor === 'restoring') return notRestored(s, event.error, now, emit);
      return mutationFailed(s, event.epoch, event.error, now, emit);
    case 'operator-failed':
      return operatorFailed(s, event, now, emit);
    case 'row-refused':
      return rowRefused(s, event, emit);
    case 'metrics':
      return outageOver({ ...s, metrics: event });
    case 'interrupted':
      return executorInterrupted(s, event.interrupt, now, emit);
    default:
      return event satisfies never;
  }
}

function clientLeft(s: Session, client: string, emit: Emit): Session {
  const clients = new Set(s.clients);
  clients.delete(client);
  const documents = new Map(s.documents);
  documents.delete(client);
  const { idleMillis } = s.settings;
  if (clients.size === 0 && idleMillis !== Infinity) emit({ kind: 'set-timer', timer: 'idle', millis: idleMillis });
  return { ...s, clients, documents };
}

function timer(s: Session, id: string, now: number, emit: Emit): Session {
  if (id === 'restart') {
    const { rewind } = s.restarts;
    return rewind ? rewindIsDue(s, rewind, now, emit) : restartNow(s, now, emit);
  }
  if (id === 'interrupt') return interruptTimedOut(s, emit);
  if (id.startsWith('grace:')) return graceIsOver(s, id.slice('grace:'.length), emit);
  if (id === 'idle' && s.clients.size === 0)
    emit({ kind: 'end-session', reason: reasonOfEnd('Nobody was connected any more, so the session ended.', s) });
  return s;
}

function pullOpened(s: Session, event: Extract<ExecutorEvent, { kind: 'pull-opened' }>): Session {
  const run = s.runs.find((candidate) => candidate.id === event.run);
  if (!run || (run.status !== 'evaluating' && run.status !== 'pulling')) return s;
  const { pull, from, fragment, label, wants } = event;
  const declared = { pull, cell: run.cell, from, fragment };
  const pulls = new Map(s.pulls).set(pull, { declared, run: run.id, label, wants });
  return { ...withRun(s, run.id, { status: 'pulling' }), pulls, graphChanged: true };
}

/** The cell goes on by itself; only its commit needs the turn. */
function pullClosed(s: Session, pull: string): Session {
  return withoutPull(s, pull);
}

/** Nobody has asked for this restart, so the cell says why there was one. */
function noted(s: Session, cell: string, { code, message }: LocatedError): Session {
  const active = s.cells.get(cell)?.active;
  if (!active || !goesBackByItself(s, code)) return s;
  const note = `${message} The session has gone back to its last checkpoint by itself.`;
  return withActive(s, cell, { notes: [...(active.notes ?? []), note] });
}

function operatorFailed(
  s: Session,
  event: Extract<ExecutorEvent, { kind: 'operator-failed' }>,
  now: number,
  emit: Emit,
): Session {
  const active = s.cells.get(event.cell)?.active;
  const { instance, name, record, partitions } = event;
  // One failure has caused a restart, and others come before the executor has ended.
  if (s.restarts.startsAt !== undefined) return s;
  const rewinding = rewindAfter(s, event, now, emit);
  if (rewinding) return rewinding;
  if (!partitions) {
    const restarting = restartAfter(s, event.cell, event.error, now);
    if (restarting) {
      emit({ kind: 'terminate-executor' });
      return { ...noted(restarting, event.cell, event.error), executor: 'ending' };
    }
  }
  const error = partitions ? event.error : withCause(s, event.error);
  const isKnown = (failure: OperatorFailure): boolean =>
    failure.instance === instance && failure.partitions?.join() === partitions?.join();
  // A removed sink could not commit, and its cell is gone too.
  if (!s.cells.has(event.cell)) emit({ kind: 'warn', text: `"${name}" was removed, and has failed: ${error.message}` });
  if (!active || active.failures.some(isKnown)) return s;
  emit({ kind: 'show-errors', cell: event.cell });
  const failure = { instance, name, error, record, ...(partitions && { partitions }) };
  return withActive(s, event.cell, { failures: [...active.failures, failure] });
}
