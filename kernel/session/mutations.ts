// One mutation at a time: the session plans what should run, the executor makes it so, all or
// nothing.
//
//   due ─plan─► in flight ─mutated─► done: plan, displays and successors are those of the session
//     │             └─mutation-failed─► given up
//     └─planner throws──────────────► given up: its run fails, or its new pulls are refused
import { checkTransactionTimeouts } from '../../engine/graph/transaction-timeouts.ts';
import type { ExecutorEvent, LocatedError, MutateCommand, PullId, RunId } from '../executor/executor-protocol.ts';
import type { DeclaredCell, GraphDeclaration, LivePlanner } from '../live/plan-request.ts';
import { isArmed, noteWritten, withWrittenRows, writtenBy } from './armed-sinks.ts';
import { nextDisplays, wantedDisplays, withDisplays } from './displayed.ts';
import { checkpointIntervalOf, forgetAsked, isKept, withNextCheckpoint } from './checkpoints.ts';
import type { Emit } from './events.ts';
import { forgetLeftOut } from './left-out-rows.ts';
import { locatedError } from './located-error.ts';
import { timeToGoOnFrom, withHandover } from './recovery.ts';
import { partsWithUpgrade, upgradePending, upgradeUnderWay } from './pending-upgrade.ts';
import { retiredToRestore, withRetired } from './retired-sinks.ts';
import { endRun } from './runs.ts';
import { type UpgradedState, upgradedState } from './upgrade.ts';
import type { Active, Cell, Mutation, OperatorFailure, Run, Session } from './state.ts';
import { withActive, withCell, withRun } from './state.ts';
import { withNotedRun } from './unstored-runs.ts';
import { withWaitingChange } from './waiting-change.ts';

/** In a job an evaluated run is committed at once. Its operators come later, with all others. */
export function commitWithoutGraph(session: Session, now: number, emit: Emit): Session {
  let s = session;
  for (let run = nextToCommit(s); run?.candidate; run = nextToCommit(s)) {
    s = withCell(s, run.cell, { active: run.candidate, error: undefined, ends: 0 });
    emit({ kind: 'commit', run: run.id });
    emit({ kind: 'show-errors', cell: run.cell });
    s = { ...endRun(s, run, undefined, now, emit), graphChanged: true };
  }
  return s;
}
/**
 * Nothing more can be evaluated until the graph runs: no run is left, or all that are left pull.
 */
export function hasEvaluatedAll({ runs }: Session): boolean {
  return !runs.some(({ status }) => !['queued', 'pulling'].includes(status));
}

/**
 * Begins the next mutation when none is in flight and there is something to change. Called at the
 * end of every step.
 * A plan that fails is given up at once and the rest is tried again: each try has one run or some
 * pulls less.
 */
export function mutateIfNeeded(session: Session, now: number, planner: LivePlanner, emit: Emit): Session {
  let s = session;
  while (s.executor === 'ready' && !s.mutation) {
    const run = nextToCommit(s);
    if (!run && !s.graphChanged) break;
    const committing = run ? withRun(s, run.id, { status: 'committing' }) : s;
    const begun = beginMutation(committing, run, now, planner, emit);
    const { pulls } = committing;
    s = begun.error ? giveUpMutation(begun.session, run?.id, [...pulls.keys()], begun.error, now, emit) : begun.session;
  }
  return s;
}

/** A mutation that is in flight, or the error of the planner. */
export interface Begun {
  readonly session: Session;
  readonly error?: LocatedError;
}

/** While the executor is being restored, its first mutation starts from the last snapshot. */
export function beginMutation(
  former: Session,
  run: Run | undefined,
  now: number,
  planner: LivePlanner,
  emit: Emit,
): Begun {
  const epoch = former.epoch + 1;
  const session: Session = { ...former, epoch, graphChanged: false };
  const graph = declared(session, run);
  const { upgrade } = session.checkpoints;
  let mutation: Mutation;
  let upgraded: UpgradedState | undefined;
  try {
    mutation = plannedMutation(session, graph, run, planner);
    checkTransactionTimeouts(mutation.plan.nodes, checkpointIntervalOf(session, run));
    upgraded = upgrade && upgradedState(upgrade, mutation.plan, session.runs.length === 0);
  } catch (error) {
    return { session, error: locatedError(error, run?.cell) };
  }
  const { plan, handover } = mutation;
  for (const text of upgraded?.warnings ?? []) emit({ kind: 'warn', text });
  const displays = mutation.displays.map(({ install }) => install);
  const isRestoring = session.executor === 'restoring';
  for (const { cell, displayed, exports, detached } of graph.cells) {
    // In a new process no cell shows anything yet.
    const isAnew = isRestoring || displays.some((install) => install.cell === cell && !install.keep);
    if (!detached && (cell === run?.cell || isAnew)) emit({ kind: 'prepare-view', cell, displayed, exports, displays });
  }
  if (isRestoring) {
    const { views, takenAt } = session.recovery;
    emit({ kind: 'rewind-views', views, restart: { at: now, ...(takenAt > 0 && { from: takenAt }) } });
  }
  // An operator that failed stays failed: started again it would go on behind a hole in its input.
  // Partitions that failed are tried again.
  const failed = failedInstances(session, ({ partitions }) => !partitions);
  const removed = isRestoring
    ? retiredToRestore(
        session,
        mutation,
        graph.cells.flatMap(({ fragment }) => fragment.nodes),
      )
    : undefined;
  for (const text of removed?.warnings ?? []) emit({ kind: 'warn', text });
  const restore = isRestoring
    ? {
        restore: partsWithUpgrade(session, handover, upgraded),
        ...(removed && removed.retired.length > 0 && { retired: removed.retired }),
        failed,
        goesOnFrom: Math.max(timeToGoOnFrom(session.recovery), upgrade ? timeToGoOnFrom(upgrade) : 0),
        ...completedBefore(session),
        ...(session.changeAgain && { readsAgain: session.changeAgain.read }),
      }
    : upgrade &&
      upgraded && { restore: upgraded.parts, goesOnFrom: timeToGoOnFrom(upgrade), ...completedBefore(session) };
  // The changed state is durable together with the change.
  const checkpoint = withNextCheckpoint(upgradeUnderWay(session, upgraded), now);
  const cells = [...session.cells.keys()];
  const deleted = cells.filter((id) => session.cells.get(id)?.deleted);
  emit({ kind: 'mutate', epoch, plan, cells, deleted, handover, displays, ...restore, checkpoint: checkpoint.id });
  return { session: { ...checkpoint.session, mutation } };
}

/** What sinks had finished up to here is committed. */
function completedBefore({ checkpoints }: Session): Pick<MutateCommand, 'completed'> {
  return checkpoints.completeId > 0 ? { completed: checkpoints.completeId } : {};
}

function plannedMutation(
  session: Session,
  graph: GraphDeclaration,
  run: Run | undefined,
  planner: LivePlanner,
): Mutation {
  const { epoch, settings } = session;
  const {
    plan,
    handover,
    displays,
    notes,
    disarmed = [],
  } = planner({
    graph,
    running: session.plan,
    displays: wantedDisplays(graph, epoch, settings.lossless),
    failed: failedInstances(session),
    mayDisarm: settings.arming === 'ask',
    committing: run?.cell,
  });
  return {
    ...{ epoch, run: run?.id, pulls: [...session.pulls.keys()], plan, handover },
    disarmed: disarmed.map(({ cell }) => cell),
    notes: withWrittenRows(session, notes, disarmed),
    displays: nextDisplays(session.displays, graph, displays),
  };
}

/** Operators that had an error and whose cells have not run since. */
function failedInstances(
  { cells }: Session,
  isWanted: (failure: OperatorFailure) => boolean = () => true,
): readonly string[] {
  return [...cells.values()]
    .flatMap((cell) => cell.active?.failures ?? [])
    .filter(isWanted)
    .flatMap(({ instance }) => (instance === undefined ? [] : [instance]));
}

/** An evaluated run, when no other run holds the turn. */
function nextToCommit(s: Session): Run | undefined {
  const busy = s.runs.some(({ status }) => ['compiling', 'compiled', 'evaluating', 'committing'].includes(status));
  return busy ? undefined : s.runs.find((run) => run.status === 'evaluated');
}

function declared(session: Session, run: Run | undefined): GraphDeclaration {
  const cells: DeclaredCell[] = [];
  for (const cell of inDocumentOrder(session)) {
    const active = run?.cell === cell.id ? run.candidate : cell.active;
    if (active && !active.stopped) cells.push(declaredCell(session, cell, active));
  }
  return { cells, pulls: [...session.pulls.values()].map((pull) => pull.declared) };
}

function declaredCell(session: Session, cell: Cell, active: Active): DeclaredCell {
  const { run, fragment, exports, displayed } = active;
  return {
    ...{ cell: cell.id, run, fragment, exports, displayed },
    armed: isArmed(session, cell, active),
    wrote: writtenBy(session, cell).map(({ target }) => target),
    detached: cell.deleted,
  };
}

type Mutated = Extract<ExecutorEvent, { kind: 'mutated' }>;
export function mutated(session: Session, { epoch, read }: Mutated, now: number, emit: Emit): Session {
  const { mutation } = session;
  if (mutation?.epoch !== epoch) return session;
  let s: Session = {
    ...withDisplays(noteWritten(withWaitingChange(session, read)), mutation.displays),
    mutation: undefined,
    plan: mutation.plan,
    recovery: withRetired(session, mutation, withHandover(session.recovery, mutation.handover)),
    attachedPulls: new Set(mutation.pulls.filter((pull) => session.pulls.has(pull))),
    executor: session.executor === 'restoring' ? 'ready' : session.executor,
  };
  for (const cell of mutation.disarmed ?? []) if (s.cells.has(cell)) s = withCell(s, cell, { armed: [] });
  const run = s.runs.find((candidate) => candidate.id === mutation.run);
  if (run?.candidate) {
    const { leftOut } = s.cells.get(run.cell)?.active ?? {};
    s = withCell(s, run.cell, {
      active: { ...run.candidate, ...(leftOut && { leftOut }) },
      error: undefined,
      ends: 0,
    });
    s = forgetLeftOut(s, session.plan, emit);
    emit({ kind: 'commit', run: run.id });
    emit({ kind: 'show-prepared-views' });
    emit({ kind: 'show-errors', cell: run.cell });
    s = withNotes(s, mutation.notes, run.cell);
    if (isKept(s)) s = withNotedRun(s, run.cell, emit);
    return endRun(s, run, undefined, now, emit);
  }
  s = forgetLeftOut(s, session.plan, emit);
  emit({ kind: mutation.run === undefined ? 'show-prepared-views' : 'drop-prepared-views' });
  return withNotes(s, mutation.notes, undefined);
}

/** The executor could not make the change. */
export function mutationFailed(session: Session, epoch: number, error: LocatedError, now: number, emit: Emit): Session {
  const { mutation } = session;
  if (mutation?.epoch !== epoch) return session;
  return giveUpMutation(
    { ...upgradePending(forgetAsked(session), epoch), mutation: undefined },
    mutation.run,
    mutation.pulls,
    error,
    now,
    emit,
  );
}

/**
 * The run that was to be committed fails, or new pulls are refused. The rest is tried again without
 * them.
 */
function giveUpMutation(
  session: Session,
  runId: RunId | undefined,
  pulls: readonly PullId[],
  error: LocatedError,
  now: number,
  emit: Emit,
): Session {
  emit({ kind: 'drop-prepared-views' });
  const run = session.runs.find((candidate) => candidate.id === runId);
  if (run) return { ...endRun(session, run, error, now, emit), graphChanged: true };
  const unattached = pulls.filter((id) => !session.attachedPulls.has(id));
  if (unattached.length === 0) emit({ kind: 'graph-failed', error });
  let s = session;
  for (const pull of unattached) {
    emit({ kind: 'refuse-pull', pull, error });
    s = withoutPull(s, pull);
  }
  return s;
}

export function withoutPull(session: Session, pull: PullId): Session {
  const pulls = new Map(session.pulls);
  return pulls.delete(pull) ? { ...session, pulls, graphChanged: true } : session;
}

/** Notes of a cell stay until it is run again, or until there are newer ones. */
function withNotes(
  session: Session,
  notes: Readonly<Record<string, readonly string[]>>,
  committed: string | undefined,
): Session {
  let s = session;
  for (const [id, sentences] of Object.entries(notes))
    if (sentences.length > 0 || id === committed) s = withActive(s, id, { notes: sentences });
  return s;
}

function inDocumentOrder(session: Session): readonly Cell[] {
  const order = new Map<string, number>();
  for (const [index, { id }] of session.document.entries()) if (!order.has(id)) order.set(id, index);
  const place = (cell: Cell): number => order.get(cell.id) ?? session.document.length;
  return [...session.cells.values()].sort((a, b) => place(a) - place(b));
}
