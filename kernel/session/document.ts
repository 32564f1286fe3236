// The document as clients have it: texts at hand, cells that go and come back. A deleted cell keeps its operators for a time of grace, so that undo resumes them.
import type { CellText } from '../protocol/messages.ts';
import type { Emit, SessionEvent } from './events.ts';
import { endRun } from './runs.ts';
import type { Cell, Session } from './state.ts';
import { withCell } from './state.ts';

type Sync = Extract<SessionEvent, { kind: 'sync' }>;
export function sync(session: Session, { client = '', cells }: Sync, now: number, emit: Emit): Session {
  const document = [...cells, ...onlyElsewhere(session, client, cells)];
  const documents = new Map(session.documents).set(client, new Set(cells.map(({ id }) => id)));
  const texts = new Map<string, string>();
  for (const { id, kind, text } of document) if (kind === 'code' && !texts.has(id)) texts.set(id, text);
  let s: Session = { ...session, document, documents };
  for (const cell of session.cells.values()) if (!texts.has(cell.id)) s = remove(s, cell, now, emit);
  const known = new Map(s.cells);
  for (const [id, text] of texts) {
    const cell = known.get(id);
    if (cell?.deleted) {
      emit({ kind: 'clear-timer', timer: graceTimer(id) });
      s = { ...s, graphChanged: true };
    }
    known.set(id, cell ? { ...cell, text, deleted: false } : { id, text, version: 0, armed: [], deleted: false });
  }
  return { ...s, cells: known };
}

/** Cells that this client never had and another one has: a second window that opens the saved file deletes nothing of the first one's. */
function onlyElsewhere(session: Session, client: string, cells: readonly CellText[]): readonly CellText[] {
  const here = new Set([...cells.map(({ id }) => id), ...(session.documents.get(client) ?? [])]);
  const others = [...session.documents].filter(([id]) => id !== client).flatMap(([, ids]) => [...ids]);
  const elsewhere = new Set(others);
  return session.document.filter(({ id }) => !here.has(id) && elsewhere.has(id));
}

/** A client says so before its next sync: the text stays in the document until then. */
export function deleteCell(session: Session, id: string, now: number, emit: Emit): Session {
  const cell = session.cells.get(id);
  if (!cell || cell.deleted) return session;
  return remove({ ...session, document: session.document.filter((text) => text.id !== id) }, cell, now, emit);
}

function remove(session: Session, cell: Cell, now: number, emit: Emit): Session {
  if (cell.deleted) return session;
  // A run that is being committed cannot be called back; what it brings is deleted with the cell.
  const committing = session.runs.some((run) => run.cell === cell.id && run.status === 'committing');
  const s = committing ? session : withoutRunsOf(session, cell.id, now, emit);
  if (!cell.active && !committing) {
    const cells = new Map(s.cells);
    cells.delete(cell.id);
    emit({ kind: 'remove-view', cell: cell.id });
    return { ...s, cells };
  }
  emit({ kind: 'set-timer', timer: graceTimer(cell.id), millis: s.settings.graceMillis });
  return { ...withCell(s, cell.id, { deleted: true }), graphChanged: true };
}

function withoutRunsOf(session: Session, cell: string, now: number, emit: Emit): Session {
  let s = session;
  const error = { code: 'cell-deleted', cell, message: `Cell "${cell}" was deleted while it ran.` };
  for (const run of session.runs)
    if (run.cell === cell && s.runs.some((other) => other.id === run.id)) s = endRun(s, run, error, now, emit);
  return s;
}

export function graceIsOver(session: Session, id: string, emit: Emit): Session {
  if (!session.cells.get(id)?.deleted) return session;
  const cells = new Map(session.cells);
  cells.delete(id);
  emit({ kind: 'forget', cell: id });
  emit({ kind: 'remove-view', cell: id });
  return { ...session, cells, graphChanged: true };
}

export function graceTimer(cell: string): string {
  return `grace:${cell}`;
}

export function modulesChanged(session: Session, changed: readonly string[]): Session {
  const cells = new Map(session.cells);
  for (const [id, cell] of cells) {
    const { active } = cell;
    const hit = active?.compiled.modules.filter((m) => changed.includes(m) && !active.changedModules.includes(m)) ?? [];
    if (active && hit.length > 0)
      cells.set(id, { ...cell, active: { ...active, changedModules: [...active.changedModules, ...hit] } });
  }
  return { ...session, cells };
}

/** Cells whose id an earlier cell has: they are open, and do not run until renamed. By index in the document. */
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
