// The session as clients see it: for each cell its phase, figures and reasons, derived from state
// and metrics.
import { isLeaf, kinds } from '../../engine/graph/kinds.ts';
import { verbOf } from '../../engine/graph/uid.ts';
import type { LocatedError, OperatorReport } from '../executor/executor-protocol.ts';
import { isPanel, partsOf } from '../live/displayed.ts';
import type { CellState, Phase, SessionView } from '../protocol/messages.ts';
import { detachedNames, staleNames } from './dependencies.ts';
import { instancesShownBy, type Shown, shownBy } from './displayed.ts';
import { duplicates } from './document.ts';
import { Flow, levelOf } from './flow.ts';
import { lagOf } from './lag.ts';
import { notesOfLeaving, troublesOfLeaving } from './leaving-sinks.ts';
import { asText, whyNothingComes, whyOperatorWaits } from './reasons.ts';
import { rejections } from './rejections.ts';
import { durability, isKept } from './durability-view.ts';
import { sinkStateOf } from './sink-state.ts';
import { shownFailures } from './shown-failures.ts';
import type { Active, Cell, Run, Session } from './state.ts';
import { notesOfChangeAgain } from './waiting-change.ts';
import { waitingSavepoint } from './waiting-savepoint.ts';
import { whyStopped } from './stopped.ts';

export interface ViewContext {
  readonly now: number;
  /** Something is shown under the cell: displays, a value, a log, errors. */
  readonly hasView: (cell: string) => boolean;
  readonly zone?: string;
}

export function sessionView(session: Session, context: ViewContext): SessionView {
  const flow = new Flow(session.plan, session.metrics?.operators ?? []);
  const twice = duplicates(session.document);
  const cells = session.document.flatMap(({ id, kind }, index): readonly CellState[] => {
    const cell = kind === 'code' ? session.cells.get(id) : undefined;
    if (!cell) return [];
    return [twice.has(index) ? duplicateState(id) : cellState(session, cell, flow, context)];
  });
  // A copy for late cells reads the same as the user's source.
  const copies = new Set(session.plan.nodes.flatMap(({ id, copy }) => (copy ? [id] : [])));
  const recordsPerSecond = (session.metrics?.operators ?? [])
    .filter(({ id, source }) => source && !copies.has(id))
    .reduce((sum, report) => sum + report.outPerSecond, 0);
  const warning = session.checkpoints.unkept ?? snapshotWarning(session);
  const savepoint = waitingSavepoint(session, context);
  return {
    ...{ cells, clients: session.clients.size, recordsPerSecond, ...(warning !== undefined && { warning }) },
    ...(savepoint !== undefined && { savepoint }),
    ...durability(session),
  };
}

/** A busy thread takes a snapshot seconds late; a user need not know. */
const lateSnapshotMillis = 10_000;
function snapshotWarning({ metrics }: Session): string | undefined {
  const waits = metrics?.snapshotWaits;
  if (!waits || waits.millis < lateSnapshotMillis) return undefined;
  const seconds = Math.floor(waits.millis / 1000);
  return `no snapshot for ${seconds} s: it waits for ${waits.operator} of ${waits.cell}. A crash would take the session back by as much`;
}

function duplicateState(id: string): CellState {
  const message = `The id "${id}" is taken by a cell above. This cell does not run until it is renamed.`;
  return {
    ...{ id, phase: 'not-run', edited: false, stale: [], notes: [message], hasView: false },
    errors: [{ code: 'duplicate-cell-id', message }],
  };
}

function cellState(session: Session, cell: Cell, flow: Flow, context: ViewContext): CellState {
  const { active } = cell;
  const run = session.runs.find((candidate) => candidate.cell === cell.id);
  const display = shownBy(session, cell.id);
  const shown = display?.instance;
  const running = session.plan.nodes.filter((node) => node.group === cell.id && !isLeaf(node));
  // A copy for late cells repeats the work of the operator itself.
  const originals = running.filter((node) => !node.copy);
  const own = (originals.length > 0 ? originals : running).map((node) => node.id);
  const relevant = [...new Set([...own, ...instancesShownBy(session, cell.id)])];
  const phase = phaseOf(session, cell, run, relevant, flow);
  const main = shown ?? own.at(-1);
  const reports = own.flatMap((instance) => flow.reportById.get(instance) ?? []);
  const rejected = rejections(reports);
  const troubles = new Set([...troublesOf(reports, context), ...troublesOfLeaving(session, cell.id, context)]);
  const lag = lagOf(reports);
  return {
    id: cell.id,
    phase,
    edited: active !== undefined && active.text !== cell.text,
    stale: staleNames(session, cell),
    notes: [
      ...notesOf(session, cell),
      ...notesOfLeaving(session, cell.id),
      ...notesOfChangeAgain(session, cell.id),
      ...foundFormats(reports),
      ...reports.flatMap(({ status }) => status?.note ?? []),
    ],
    reason: reasonOf(session, cell, run, main, flow, context),
    ...(active && main !== undefined ? figures(active, own, main, display, flow) : {}),
    ...(lag && { lag: lag.text, lagByPartition: lag.partitions }),
    heldBack: heldBack(cell.id, relevant, flow),
    ...(rejected.length > 0 && { rejected }),
    ...leftOutOf(active),
    ...(troubles.size > 0 && { trouble: [...troubles].join('; ') }),
    ...(isKept(session, cell, originals) && { isKept: true }),
    sink: sinkStateOf(session, cell, reports, context),
    hasView: context.hasView(cell.id),
    errors: errorsOf(cell),
  };
}

/** What sources found in their records. JSON is what everybody expects, so it is no news. */
function foundFormats(reports: readonly OperatorReport[]): string[] {
  const notes = reports.flatMap(({ name, source }) =>
    source?.format === undefined || source.format === 'JSON'
      ? []
      : `${name} is ${source.format}, as its first records show`,
  );
  return [...new Set(notes)];
}

function phaseOf(session: Session, cell: Cell, run: Run | undefined, relevant: readonly string[], flow: Flow): Phase {
  if (run) {
    if (session.executor !== 'ready' && ['queued', 'compiling', 'compiled'].includes(run.status)) return 'starting';
    if (run.status === 'pulling') return 'pulling';
    if (run.status !== 'queued') return 'running';
  }
  const { active } = cell;
  if (!active) return hasFailed(cell) ? 'failed' : 'not-run';
  if (hasFailed(cell)) return 'failed';
  if (session.executor !== 'ready') return 'starting';
  if (relevant.length === 0) return showsPanel(active) && session.plan.nodes.length > 0 ? 'live' : 'defined';
  const phase = livePhase(relevant, flow);
  return phase !== 'finished' && whyStopped(session, flow, relevant) !== undefined ? 'stopped' : phase;
}

/** Of a source that goes on, only partitions may have failed. */
function hasFailed({ error, active }: Cell): boolean {
  if (error || !active) return error !== undefined;
  return active.stopped || active.failures.some(({ partitions }) => !partitions);
}

/** A panel has no operators of its own; it is about those of the others. */
function showsPanel({ displayed }: Active): boolean {
  return partsOf(displayed).some(isPanel);
}

/**
 * connecting: a source above had no contact yet; waiting: no record yet; finished: all have ended.
 */
function livePhase(relevant: readonly string[], flow: Flow): Phase {
  const reports = relevant.flatMap((id) => flow.reportById.get(id) ?? []);
  const sources = flow.sourcesOf(relevant);
  if (reports.length === 0) return 'connecting';
  if (reports.every((report) => report.finished)) return 'finished';
  const seen = reports.some((report) => report.recordsIn > 0 || report.recordsOut > 0);
  if (seen) return 'live';
  return sources.some((report) => report.source?.phase === 'connecting') ? 'connecting' : 'waiting';
}

function notesOf(session: Session, cell: Cell): readonly string[] {
  const { active } = cell;
  if (!active) return [];
  const notes = [...active.notes];
  if (cell.error && !active.stopped) notes.push('the former version still runs: the last run failed');
  const warning = session.metrics?.snapshotWaits?.cell === cell.id ? snapshotWarning(session) : undefined;
  return warning === undefined ? notes : [...notes, warning];
}

function reasonOf(
  session: Session,
  cell: Cell,
  run: Run | undefined,
  main: string | undefined,
  flow: Flow,
  { now, zone }: ViewContext,
): string | undefined {
  const { stuck } = session;
  if (stuck?.cell === cell.id) {
    const seconds = Math.floor(stuck.millis / 1000);
    return `${stuck.operator ?? 'the cell'} has not returned for ${seconds} s`;
  }
  if (run?.status === 'pulling') return waitingForPull(session, run);
  const detached = detachedNames(session, cell);
  if (detached.length > 0) return detachedText(session, detached);
  if (!cell.active || main === undefined) return undefined;
  // The error of a cell that failed itself says why.
  if (hasFailed(cell)) return undefined;
  const stopped = whyStopped(session, flow, [main]);
  if (stopped !== undefined) return stopped;
  const pieces = whyNothingComes(flow, main);
  return pieces && asText(pieces, now, zone);
}

/** Rows may still come while the deletion can be undone. */
function detachedText({ cells }: Session, names: readonly string[]): string {
  const mayComeBack = (name: string): boolean =>
    [...cells.values()].some(({ deleted, active }) => deleted && active?.exports.some((one) => one.name === name));
  const listed = names.join(', ');
  if (names.every(mayComeBack)) return `${listed} was deleted a moment ago: its rows end unless its cell comes back`;
  return `its input is detached: ${listed} is no longer defined`;
}

/** The troubles of the cell's sources, and the reasons of its sinks that cannot write. */
function troublesOf(reports: readonly OperatorReport[], { now, zone }: ViewContext): ReadonlySet<string> {
  const texts = reports.flatMap((report) => {
    const pieces = kinds[report.kind].role === 'sink' ? whyOperatorWaits(report) : undefined;
    return [
      ...(report.source?.trouble === undefined ? [] : [report.source.trouble]),
      ...(pieces ? [asText(pieces, now, zone)] : []),
    ];
  });
  return new Set(texts);
}

function waitingForPull(session: Session, run: Run): string | undefined {
  const pull = [...session.pulls.values()].find((candidate) => candidate.run === run.id);
  if (!pull) return undefined;
  const { label, wants } = pull;
  if (wants === undefined) return `waiting for rows of ${label}`;
  return `waiting for ${wants} ${wants === 1 ? 'row' : 'rows'} of ${label}`;
}

function figures(
  active: Active,
  own: readonly string[],
  main: string,
  display: Shown | undefined,
  flow: Flow,
): Partial<CellState> {
  const report = flow.reportById.get(main);
  const reports = own.flatMap((id) => flow.reportById.get(id) ?? []);
  // Operators count rows of their main output. Rows of another output are counted at the display.
  const sideReport = display && display.port !== 'out' ? flow.reportById.get(display.display) : undefined;
  const inPerSecond = reports.filter((r) => isEntry(r, own, flow)).reduce((sum, r) => sum + entering(r), 0);
  return {
    stream: display?.stream ?? nameOf(active, main, report),
    // A cell that only shows what another one defines takes nothing in.
    ...(own.length > 0 && { inPerSecond }),
    outPerSecond: sideReport ? sideReport.inPerSecond : report?.outPerSecond,
    rows: sideReport ? sideReport.recordsIn : report?.recordsOut,
    ...lateOf(display?.port === 'late' && report ? [report] : reports),
  };
}
/**
 * Only a window can have late elements. A reader of `late` also sees how many there were before it
 * came.
 */
function lateOf(reports: readonly OperatorReport[]): Pick<CellState, 'late'> {
  if (!reports.some(({ kind, late }) => late > 0 || kinds[kind].opensWindows === true)) return {};
  return { late: reports.reduce((sum, { late }) => sum + late, 0) };
}
/** Records enter a cell at its sources and where it reads other cells. */
function isEntry(report: OperatorReport, own: readonly string[], flow: Flow): boolean {
  // It reads what the sink beside it reads, to show it.
  if (verbOf(report.uid) === 'preview') return false;
  const inputs = flow.inputsOf(report.id);
  return inputs.length === 0 || inputs.some((input) => !own.includes(input));
}
function entering(report: OperatorReport): number {
  return report.source ? report.outPerSecond : report.inPerSecond;
}

function nameOf(active: Active, instance: string, report: OperatorReport | undefined): string | undefined {
  const uid = report?.uid ?? instance;
  for (const exported of active.exports)
    if (exported.kind === 'stream' && 'node' in exported.endpoint && exported.endpoint.node === uid)
      return exported.name;
  return report?.name;
}

function heldBack(cell: string, relevant: readonly string[], flow: Flow): string | undefined {
  let worst: OperatorReport | undefined;
  for (const id of relevant) {
    const report = flow.reportById.get(id);
    if (report && report.backpressured > (worst?.backpressured ?? 0.1)) worst = report;
  }
  const culprit = worst && flow.culpritOf(worst.id);
  if (!worst || !culprit) return undefined;
  // The user thinks of another cell as a whole, and of this one as its operators.
  const name = culprit.cell === cell ? culprit.name : culprit.cell;
  return `held back by ${name} (${levelOf(worst.backpressured)})`;
}

function leftOutOf(active: Active | undefined): Pick<CellState, 'leftOut'> {
  const count = (active?.leftOut ?? []).reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return {};
  return { leftOut: `${count.toLocaleString('en-US')} ${count === 1 ? 'row was' : 'rows were'} left out` };
}

function errorsOf(cell: Cell): CellState['errors'] {
  const located = ({ code, message, line, column, cell: where }: LocatedError): CellState['errors'][number] =>
    where === undefined || where === cell.id ? { code, message, line, column } : { code, message };
  const { failures = [], leftOut = [] } = cell.active ?? {};
  return [
    ...(cell.error ? [cell.error] : []),
    ...[...shownFailures(failures), ...leftOut].map(({ error }) => error),
  ].map(located);
}
