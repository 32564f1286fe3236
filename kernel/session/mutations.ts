// One mutation at a time: what should run goes to the executor, with the run that is being committed if there is one, all or nothing.
import type { LocatedError, PullId } from '../executor/executor-protocol.ts';
import type { Emit } from './events.ts';
import type { DeclaredCell, GraphDeclaration } from '../live/plan-request.ts';
import { endRun } from './runs.ts';
import type { Active, Cell, Run, Session } from './state.ts';
import { withActive, withCell, withRun } from './state.ts';

/** A job: what was evaluated counts at once, its operators come later, with all others. */
export function commitWithoutGraph(session: Session, now: number, emit: Emit): Session {
  let s = session;
  for (let run = nextToCommit(s); run?.candidate; run = nextToCommit(s)) {
    s = withCell(s, run.cell, { active: run.candidate, error: undefined });
    emit({ kind: 'commit', run: run.id, cell: run.cell, restored: false });
    emit({ kind: 'show-errors', cell: run.cell });
    s = { ...endRun(s, run, undefined, now, emit), graphChanged: true };
  }
  return s;
}
/** Nothing more can be evaluated until the graph is there: no run is left, or those that are left pull. */
export function hasEvaluatedAll({ runs }: Session): boolean {
  return !runs.some(({ status }) => !['queued', 'pulling'].includes(status));
}

/** Begins the next mutation when none is in flight and there is something to change. Called at the end of every step. */
export function mutateIfNeeded(session: Session, emit: Emit): Session {
  if (session.executor !== 'ready' || session.mutation) return session;
  const run = nextToCommit(session);
  if (!run && !session.graphChanged) return session;
  return beginMutation(run ? withRun(session, run.id, { status: 'committing' }) : session, run, false, emit);
}

export function beginMutation(session: Session, run: Run | undefined, restore: boolean, emit: Emit): Session {
  const epoch = session.epoch + 1;
  const failed = [...session.cells.values()]
    .flatMap((cell) => cell.active?.failures ?? [])
    .flatMap(({ instance }) => (instance === undefined ? [] : [instance]));
  emit({ kind: 'mutate', epoch, graph: declared(session, run), committing: run?.cell, failed, restore });
  const mutation = { epoch, run: run?.id, pulls: [...session.pulls.keys()], notes: {} };
  return { ...session, epoch, mutation, graphChanged: false };
}

/** A run that waits with its result, as soon as nobody else holds the turn. */
function nextToCommit(s: Session): Run | undefined {
  const busy = s.runs.some(({ status }) => ['compiling', 'compiled', 'evaluating', 'committing'].includes(status));
  return busy ? undefined : s.runs.find((run) => run.status === 'evaluated');
}

export function declared(session: Session, run: Run | undefined): GraphDeclaration {
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
    detached: cell.deleted,
  };
}

/** Arming is for a target: when a re-run writes elsewhere, the user is asked again. */
export function isArmed(session: Session, cell: Cell, active: Active | undefined = cell.active): boolean {
  const { arming } = session.settings;
  if (arming !== 'ask') return arming === 'all';
  const sinks = active?.fragment.sinks ?? [];
  return sinks.length > 0 && sinks.every((sink) => cell.armed.includes(sink.target));
}

export function arm(session: Session, id: string, armed: boolean): Session {
  const cell = session.cells.get(id);
  if (!cell) return session;
  const targets = armed ? (cell.active?.fragment.sinks ?? []).map((sink) => sink.target) : [];
  return { ...withCell(session, id, { armed: targets }), graphChanged: true };
}

export function mutated(session: Session, epoch: number, now: number, emit: Emit): Session {
  const { mutation } = session;
  if (mutation?.epoch !== epoch) return session;
  let s: Session = {
    ...session,
    mutation: undefined,
    plan: mutation.plan ?? session.plan,
    attachedPulls: new Set(mutation.pulls.filter((pull) => session.pulls.has(pull))),
    executor: session.executor === 'restoring' ? 'ready' : session.executor,
  };
  const run = s.runs.find((candidate) => candidate.id === mutation.run);
  if (run?.candidate) {
    s = withCell(s, run.cell, { active: run.candidate, error: undefined });
    emit({ kind: 'commit', run: run.id, cell: run.cell, restored: false });
    emit({ kind: 'show-prepared-views' });
    emit({ kind: 'show-errors', cell: run.cell });
    s = withNotes(s, mutation.notes, run.cell);
    return endRun(s, run, undefined, now, emit);
  }
  emit({ kind: mutation.run === undefined ? 'show-prepared-views' : 'drop-prepared-views' });
  return withNotes(s, mutation.notes, undefined);
}

/** The run that was to be committed fails, a new pull is refused; everything else is tried again without them. */
export function mutationFailed(session: Session, epoch: number, error: LocatedError, now: number, emit: Emit): Session {
  const { mutation } = session;
  if (mutation?.epoch !== epoch) return session;
  emit({ kind: 'drop-prepared-views' });
  let s: Session = { ...session, mutation: undefined };
  const run = s.runs.find((candidate) => candidate.id === mutation.run);
  if (run) return { ...endRun(s, run, error, now, emit), graphChanged: true };
  const unattached = mutation.pulls.filter((id) => !session.attachedPulls.has(id));
  if (unattached.length === 0) emit({ kind: 'graph-failed', error });
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

/** What was said of a cell stays until it is run again, or until there is something newer to say. */
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
