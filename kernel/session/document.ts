// The document as clients have it: present texts, cells that go and come back.
// A deleted cell keeps its operators for a time of grace, so that undo resumes them.
//
// Several clients may have the notebook open, each with its own texts (two windows, one of them not
// saved).
// Of a client's document only the differences from its former document count.
// So typing in one window does not undo the unsaved text of another one. Of two edits of one cell
// the later one counts.
// A deleted cell is gone until a client writes in it, brings it back or runs it.
// A run takes the texts of the client that asks.
import type { CellText } from '../protocol/messages.ts';
import type { Emit, SessionEvent } from './events.ts';
import { endRun } from './runs.ts';
import type { Cell, Session } from './state.ts';
import { withCell } from './state.ts';

type Sync = Extract<SessionEvent, { kind: 'sync' }>;
export function sync(session: Session, { client = '', cells }: Sync, now: number, emit: Emit): Session {
  const former = textsOf(session.documents.get(client) ?? []);
  const known = textsOf(session.document);
  const document = cells.flatMap((cell, index): readonly CellText[] => {
    const { id, text } = cell;
    // A cell whose id an earlier cell has does not run. It is shown as it came.
    if (cells.findIndex((other) => other.id === id) < index) return [cell];
    const isNew = !former.has(id);
    if (!isNew && former.get(id) !== text) return [cell];
    if (isNew && !(known.has(id) && someoneElseHas(session, client, id, known.get(id)!))) return [cell];
    return known.has(id) ? [{ ...cell, text: known.get(id)! }] : [];
  });
  const here = new Set([...cells.map(({ id }) => id), ...former.keys()]);
  const documents = new Map(session.documents).set(client, cells);
  return withDocument({ ...session, documents }, [...document, ...onlyElsewhere(session, client, here)], now, emit);
}

/** The cells that a client is about to run count as it has them. */
export function asClientHasThem(
  session: Session,
  client: string,
  cells: readonly string[],
  now: number,
  emit: Emit,
): Session {
  const own = textsOf(session.documents.get(client) ?? []);
  const known = textsOf(session.document);
  const differing = cells.filter((id) => own.has(id) && own.get(id) !== known.get(id));
  if (differing.length === 0) return session;
  const texts = new Map(session.documents.get(client)!.map((cell) => [cell.id, cell]));
  const changed = session.document.map((cell) =>
    differing.includes(cell.id) && cell.text === known.get(cell.id) ? { ...cell, text: own.get(cell.id)! } : cell,
  );
  const back = differing.filter((id) => !known.has(id)).map((id) => texts.get(id)!);
  return withDocument(session, [...changed, ...back], now, emit);
}

/** Text by id; a later cell of the same id has none. */
function textsOf(document: readonly CellText[]): ReadonlyMap<string, string> {
  return new Map(document.toReversed().map(({ id, text }) => [id, text]));
}
function someoneElseHas(session: Session, client: string, id: string, text: string): boolean {
  return [...session.documents].some(([other, cells]) => other !== client && textsOf(cells).get(id) === text);
}
/** A second window that opens the saved file deletes nothing of what only the first one has. */
function onlyElsewhere(session: Session, client: string, here: ReadonlySet<string>): readonly CellText[] {
  const others = [...session.documents].filter(([other]) => other !== client).flatMap(([, cells]) => cells);
  const elsewhere = new Set(others.map(({ id }) => id));
  return session.document.filter(({ id }) => !here.has(id) && elsewhere.has(id));
}

function withDocument(session: Session, document: readonly CellText[], now: number, emit: Emit): Session {
  const texts = new Map<string, string>();
  for (const { id, kind, text } of document) if (kind === 'code' && !texts.has(id)) texts.set(id, text);
  let s: Session = { ...session, document };
  for (const cell of session.cells.values()) if (!texts.has(cell.id)) s = remove(s, cell, now, emit);
  const known = new Map(s.cells);
  for (const [id, text] of texts) {
    const cell = known.get(id);
    if (cell?.deleted) {
      emit({ kind: 'clear-timer', timer: graceTimer(id) });
      s = { ...s, graphChanged: true };
    }
    const ends = cell?.text === text ? (cell.ends ?? 0) : 0;
    known.set(id, cell ? { ...cell, text, deleted: false, ends } : { id, text, version: 0, armed: [], deleted: false });
  }
  return { ...s, cells: known };
}

/** A client deletes a cell before its next sync. If that sync has the cell, the cell is back. */
export function deleteCell(session: Session, client: string, id: string, now: number, emit: Emit): Session {
  const without = (cells: readonly CellText[]): readonly CellText[] => cells.filter((cell) => cell.id !== id);
  const own = session.documents.get(client);
  const documents = own ? new Map(session.documents).set(client, without(own)) : session.documents;
  const cell = session.cells.get(id);
  if (!cell || cell.deleted) return { ...session, documents };
  return remove({ ...session, documents, document: without(session.document) }, cell, now, emit);
}

function remove(session: Session, cell: Cell, now: number, emit: Emit): Session {
  if (cell.deleted) return session;
  // A run that is being committed cannot be undone. Its result is deleted with the cell.
  const committing = session.runs.some((run) => run.cell === cell.id && run.status === 'committing');
  const s = committing ? session : withoutRunsOf(session, cell.id, now, emit);
  if (!cell.active && !committing) {
    const cells = new Map(s.cells);
    cells.delete(cell.id);
    emit({ kind: 'remove-view', cell: cell.id });
    return { ...s, cells };
  }
  beginGrace(s, cell.id, emit);
  return { ...withCell(s, cell.id, { deleted: true }), graphChanged: true };
}

function withoutRunsOf(session: Session, cell: string, now: number, emit: Emit): Session {
  let s = session;
  const error = { code: 'cell-deleted', cell, message: `Cell "${cell}" was deleted while it ran.` };
  for (const run of session.runs)
    if (run.cell === cell && s.runs.some((other) => other.id === run.id)) s = endRun(s, run, error, now, emit);
  return s;
}

/** A deleted cell waits for an undo. */
export function beginGrace({ settings }: Session, cell: string, emit: Emit): void {
  emit({ kind: 'set-timer', timer: graceTimer(cell), millis: settings.graceMillis });
}
export function graceIsOver(session: Session, id: string, emit: Emit): Session {
  if (!session.cells.get(id)?.deleted) return session;
  const cells = new Map(session.cells);
  cells.delete(id);
  emit({ kind: 'forget', cell: id });
  emit({ kind: 'remove-view', cell: id });
  return { ...session, cells, graphChanged: true };
}

function graceTimer(cell: string): string {
  return `grace:${cell}`;
}

/**
 * Cells whose id an earlier cell has. They do not run until they are renamed. By index in the
 * document.
 */
export function duplicates(document: readonly CellText[]): ReadonlySet<number> {
  const seen = new Set<string>();
  const result = new Set<number>();
  for (const [index, { id, kind }] of document.entries()) {
    if (kind !== 'code') continue;
    if (seen.has(id)) result.add(index);
    seen.add(id);
  }
  return result;
}
