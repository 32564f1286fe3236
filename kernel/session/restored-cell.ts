// A cell that was evaluated again for a new executor: what has changed around it since it ran, and
// what becomes of operators whose functions are not what they were.
//
//   its modules were saved since        a note; it goes on with the former text
//   another version of a package        a note; it goes on with the present one
//   other functions, because it uses
//     a cell that has run again since   its operators stay failed, with their state
//     a module that was not kept        the same
//     a value that is made anew         a note; it goes on with the new value
//
// A job has nobody who could run the cell, so it ends instead of going on without operators.
import type { ModuleNews } from '../cells/used-modules.ts';
import { functionRefsOf, type Plan, type PlanNode } from '../../engine/graph/plan.ts';
import { collapses } from '../../engine/graph/kinds.ts';
import type { ExecutorEvent, FragmentData, LocatedError } from '../executor/executor-protocol.ts';
import { listed } from '../live/listed.ts';
import { staleBehind } from './dependencies.ts';
import type { Emit } from './events.ts';
import type { Active, Cell, OperatorFailure, Session } from './state.ts';
import { withActive } from './state.ts';
import { shared } from './used-by-cells.ts';

type Evaluated = Extract<ExecutorEvent, { kind: 'evaluated' }>;

/** What the disk has is compared again. */
export function withoutNews(session: Session): Session {
  let s = session;
  for (const id of session.cells.keys()) s = withActive(s, id, { changedModules: [] });
  return s;
}

/** `error`: the session cannot be restored. */
export function restoredCell(
  session: Session,
  { id, active }: Cell,
  { fragment, used, news }: Evaluated,
  emit: Emit,
): { readonly session: Session; readonly error?: LocatedError } {
  if (!active) return { session };
  let s = used ? withActive(session, id, { used: shared(session, used) }) : session;
  if (news) s = withNews(s, id, news, emit);
  const others = otherFunctions(active.fragment, fragment);
  if (others.length === 0) return { session: s };
  const names = listed([...new Set(others.map(({ name }) => `"${name}"`))]);
  // As it was saved: this evaluation has noted modules now.
  const error = whyOther(session, id, active, names);
  if (!error) {
    const text = `Something that ${names} captured is made anew at each start, and it is another value now.`;
    return { session: withNote(s, id, text, emit) };
  }
  if (s.settings.attach === 'together') return { session: s, error };
  emit({ kind: 'show-errors', cell: id });
  return { session: withFailures(s, id, others, error) };
}

// -------------------------------------------------------------------------------------------- news

function withNews(session: Session, id: string, { files, packages }: ModuleNews, emit: Emit): Session {
  const isJob = session.settings.attach === 'together';
  // In a job one warning tells of a module, whoever imports it.
  const told = new Set([...session.cells.values()].flatMap(({ active }) => active?.changedModules ?? []));
  const saved = listed(files.filter(({ path }) => !isJob || !told.has(path)).map(({ name }) => name));
  let s = withActive(session, id, { changedModules: files.map(({ path }) => path) });
  if (saved !== '') s = withNote(s, id, isJob ? savedInJob(saved) : savedSince(saved), emit);
  for (const { name, versions } of packages) s = withNote(s, id, otherPackage(name, versions), emit);
  return s;
}
function savedSince(names: string): string {
  return `This cell goes on with the former text of ${names}, which was saved since the cell ran. Run the cell to use the new text.`;
}
function savedInJob(names: string): string {
  return `The job goes on with the former text of ${names}, which was saved since the job started. A start with --from-savepoint uses the new text.`;
}
function otherPackage(name: string, versions: ModuleNews['packages'][number]['versions']): string {
  if (!versions) return `${name} has changed since this cell ran. Its present content is used.`;
  return `${name} was ${versions.former} when this cell ran, and it is ${versions.now} now. The present one is used.`;
}

/** Each restart would say it again. */
function withNote(session: Session, id: string, text: string, emit: Emit): Session {
  if (session.settings.attach === 'together') {
    emit({ kind: 'warn', text });
    return session;
  }
  const { notes } = session.cells.get(id)!.active!;
  return notes.includes(text) ? session : withActive(session, id, { notes: [...notes, text] });
}

// --------------------------------------------------------------------------------------- functions

/** The operators of `former` that have a function that `present` does not have. */
export function otherFunctions(former: FragmentData, present: FragmentData): readonly PlanNode[] {
  const keyOf = (ref: ReturnType<typeof functionRefsOf>[number]): string => `${ref.uid}\0${ref.slot}\0${ref.textHash}`;
  const known = new Set(present.nodes.flatMap(functionRefsOf).map(keyOf));
  return former.nodes.filter((node) => functionRefsOf(node).some((ref) => !known.has(keyOf(ref))));
}

/** undefined: its texts are what they were. */
function whyOther(session: Session, id: string, active: Active, operators: string): LocatedError | undefined {
  const stale = staleBehind(session, active);
  const [because, wayOut] =
    stale.length > 0
      ? [`it captured ${listed(stale)}, and a cell behind that has run again since`, 'Run the cell']
      : unkeptModules(session);
  if (because === undefined) return undefined;
  const message = `${operators} cannot go on after the restart: ${because}. ${wayOut} to go on with the present text.`;
  return { code: 'function-changed', cell: id, message };
}
/** Of cells that an older version of Sluice has saved. */
function unkeptModules({ cells, settings }: Session): readonly [because?: string, wayOut?: string] {
  const unkept = [...cells.values()].flatMap(({ active }) => (active && !active.used ? active.compiled.modules : []));
  if (unkept.length === 0) return [];
  return [
    `${listed([...new Set(unkept)])} may have been saved since, and the checkpoint is of a version of Sluice that did not keep modules`,
    settings.attach === 'together' ? 'Start from the checkpoint with --from-savepoint' : 'Run the cell',
  ];
}

/** They stay failed until the cell runs. None of their code runs. */
function withFailures(session: Session, id: string, others: readonly PlanNode[], error: LocatedError): Session {
  const { failures } = session.cells.get(id)!.active!;
  const known = new Set(failures.map(({ instance }) => instance));
  const added = instancesOf(session.plan, others)
    .filter((instance) => !known.has(instance.id))
    .map(({ id: instance, name }): OperatorFailure => ({ instance, name, error }));
  return withActive(session, id, { failures: [...failures, ...added] });
}
/** A key is no task of its own: it is part of those that read it. */
function instancesOf({ nodes, edges }: Plan, others: readonly PlanNode[]): readonly PlanNode[] {
  const uids = new Set(others.map(({ uid }) => uid));
  return nodes
    .filter(({ uid }) => uids.has(uid))
    .flatMap((node) => {
      if (!collapses(node)) return [node];
      const readers = new Set(edges.filter(({ from }) => from === node.id).map(({ to }) => to));
      return nodes.filter(({ id }) => readers.has(id));
    });
}
