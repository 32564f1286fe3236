// Armed sinks, and what they have written.
//
// A sink is armed for a target. What an armed sink has written is known as long as its cell is,
// also when the sink is gone: its cell was stopped, or ran once without it. If it comes back and
// reads its sources from the start, it is a preview until the user arms it anew.
import type { DisarmedSink } from '../live/plan-request.ts';
import type { Active, Cell, Mutation, Session, WrittenRows } from './state.ts';
import { withCell } from './state.ts';

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
  // Who arms a preview wants all rows.
  const wrote = armed && isArmed(session, cell) ? cell.wrote : undefined;
  const { wrote: _former, ...rest } = cell;
  const cells = new Map(session.cells).set(id, { ...rest, armed: targets, ...(wrote && { wrote }) });
  return { ...session, cells, graphChanged: true };
}

/** What the armed sinks of the cell have written since the user armed them, by target. */
export function writtenBy(session: Session, cell: Cell): readonly WrittenRows[] {
  const former = cell.wrote ?? [];
  if (!isArmed(session, cell)) return former;
  const rowsByTarget = new Map<string, number>();
  for (const { node: uid, target } of cell.active?.fragment.sinks ?? []) {
    const ran = session.plan.nodes.find((node) => node.uid === uid && isWriting(node.parameters));
    if (ran) rowsByTarget.set(target, (rowsByTarget.get(target) ?? 0) + rowsOf(session, ran.id));
  }
  for (const { target, rows } of former) rowsByTarget.set(target, Math.max(rows, rowsByTarget.get(target) ?? 0));
  return [...rowsByTarget].map(([target, rows]) => ({ target, rows }));
}
function isWriting(parameters: object): boolean {
  return !('armed' in parameters) || parameters.armed !== false;
}
/** The metrics are up to a second old, so it may have written more. */
function rowsOf({ metrics }: Session, instance: string): number {
  const { recordsIn = 0, unwritten = 0 } = metrics?.operators.find(({ id }) => id === instance) ?? {};
  return Math.max(0, recordsIn - unwritten);
}

/** Before operators go. */
export function noteWritten(session: Session): Session {
  let s = session;
  for (const cell of session.cells.values()) {
    const wrote = session.settings.arming === 'ask' ? writtenBy(session, cell) : [];
    if (wrote.length > 0) s = withCell(s, cell.id, { wrote });
  }
  return s;
}

/** The notes, with what each sink that is a preview now has written. */
export function withWrittenRows(
  session: Session,
  notes: Mutation['notes'],
  disarmed: readonly DisarmedSink[],
): Mutation['notes'] {
  const result: Record<string, readonly string[]> = { ...notes };
  for (const { cell, target } of disarmed) {
    const known = session.cells.get(cell);
    const wrote = known ? writtenBy(session, known) : [];
    const rows = (wrote.find((one) => one.target === target)?.rows ?? 0).toLocaleString('en-US');
    const note = `The sink to ${target} wrote at least ${rows} rows before this edit; arm it again to write all rows from the start.`;
    result[cell] = [...(result[cell] ?? []), note];
  }
  return result;
}
