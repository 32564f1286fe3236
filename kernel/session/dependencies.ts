// Dependencies between cells: cells that must run first, names that have changed since they were
// captured, and cycles.
import type { LocatedError } from '../executor/executor-protocol.ts';
import type { CellText } from '../protocol/messages.ts';
import type { Active, Cell, CellScope, Compiled, Session } from './state.ts';

/**
 * The notebook as it will be if the run of `cell` succeeds: its present text among the texts that
 * run.
 * A cell that never ran takes part with its present text, because the run may need it first.
 */
export function notebookFor(session: Session, cell: string): readonly CellText[] {
  const seen = new Set<string>();
  const result: CellText[] = [];
  for (const { id, kind } of session.document) {
    if (kind !== 'code' || seen.has(id)) continue;
    seen.add(id);
    const known = session.cells.get(id);
    if (known) result.push({ id, kind, text: id === cell ? known.text : (known.active?.text ?? known.text) });
  }
  return result;
}

/** The cell that defines a name. A cell that ran comes before one that could run. */
function ownerOf(session: Session, name: string, compiled: Compiled): string | undefined {
  for (const [id, cell] of session.cells)
    if (!cell.deleted && cell.active?.compiled.scope.declares.includes(name)) return id;
  for (const [id, scope] of Object.entries(compiled.others)) {
    const cell = session.cells.get(id);
    if (cell && !cell.active && scope.declares.includes(name)) return id;
  }
  return undefined;
}

export function usesOf(
  session: Session,
  cell: string,
  compiled: Compiled,
): readonly { readonly name: string; readonly cell: string }[] {
  const uses = [];
  for (const name of compiled.scope.uses) {
    const owner = ownerOf(session, name, compiled);
    if (owner !== undefined && owner !== cell) uses.push({ name, cell: owner });
  }
  return uses;
}

/** Cells that must run before this one, because nothing of them runs yet. */
export function neededFirst(session: Session, cell: string, compiled: Compiled): readonly string[] {
  const owners = usesOf(session, cell, compiled).map((use) => use.cell);
  const needed = new Set(owners.filter((owner) => !session.cells.get(owner)?.active));
  return session.document.map(({ id }) => id).filter((id) => needed.delete(id));
}

/** What the names that a cell uses are at this moment. */
export function capturedNow(session: Session, cell: string, compiled: Compiled): Readonly<Record<string, string>> {
  return Object.fromEntries(
    usesOf(session, cell, compiled).flatMap(({ name, cell: owner }) => {
      const version = versionOf(session.cells.get(owner)?.active, name);
      return version === undefined ? [] : [[name, version] as const];
    }),
  );
}

/** Modules and names that are others now than when the cell ran. */
export function staleNames(session: Session, { active }: Cell): readonly string[] {
  return active ? [...active.changedModules, ...staleCaptures(session, active)] : [];
}

/**
 * Names whose definition changed since this cell captured them. A stream is an edge and follows by
 * itself, so it makes nothing stale.
 */
export function staleCaptures(session: Session, active: Active): readonly string[] {
  const stale: string[] = [];
  for (const [name, version] of Object.entries(active.captured)) {
    const owner = currentOwner(session, name);
    const now = owner && versionOf(owner.active, name);
    if (now === version) continue;
    // A stream that is gone leaves its readers without input. The reason says so; their text is not
    // stale.
    if (version === 'stream' && now === undefined) continue;
    stale.push(name);
  }
  return stale;
}

/** The same, and names whose own cell captured something of before. */
export function staleBehind(session: Session, active: Active, seen = new Set<Active>()): readonly string[] {
  if (seen.has(active)) return [];
  seen.add(active);
  const stale = staleCaptures(session, active);
  const behind = Object.entries(active.captured).flatMap(([name, version]) => {
    const owner = version === 'stream' || stale.includes(name) ? undefined : currentOwner(session, name)?.active;
    return owner && staleBehind(session, owner, seen).length > 0 ? [name] : [];
  });
  return [...stale, ...behind];
}

/** Streams that this cell reads and no cell defines any more: its input is detached. */
export function detachedNames(session: Session, cell: Cell): readonly string[] {
  return Object.entries(cell.active?.captured ?? {})
    .filter(([name, version]) => version === 'stream' && !currentOwner(session, name))
    .map(([name]) => name);
}

export function duplicateName(session: Session, cell: string, compiled: Compiled): LocatedError | undefined {
  for (const name of compiled.scope.declares) {
    const other = otherOwner(session, cell, name, compiled);
    if (other !== undefined)
      return {
        code: 'duplicate-name',
        cell,
        message: `Cell "${cell}": ${name} is already defined in cell "${other}". Rename one of them.`,
      };
  }
  return undefined;
}

/** A way from the cell through what it uses back to itself, as a sentence. */
export function cycleOf(session: Session, cell: string, compiled: Compiled): LocatedError | undefined {
  const scopeOf = (id: string): CellScope | undefined =>
    id === cell ? compiled.scope : (session.cells.get(id)?.active?.compiled.scope ?? otherScope(compiled, id));
  const ownerAmong = (name: string): string | undefined =>
    compiled.scope.declares.includes(name) ? cell : ownerOf(session, name, compiled);
  const visited = new Set<string>();
  const walk = (id: string, path: readonly string[]): readonly string[] | undefined => {
    const scope = scopeOf(id);
    if (!scope) return undefined;
    for (const name of scope.uses) {
      const owner = ownerAmong(name);
      if (owner === undefined || owner === id) continue;
      const step = `"${id}" uses ${name} of "${owner}"`;
      if (owner === cell) return [...path, step];
      if (visited.has(owner)) continue;
      visited.add(owner);
      const found = walk(owner, [...path, step]);
      if (found) return found;
    }
    return undefined;
  };
  const path = walk(cell, []);
  return (
    path && {
      code: 'cycle',
      cell,
      message: `Cell "${cell}" needs itself: ${path.join(', ')}. Move one of the definitions.`,
    }
  );
}

function currentOwner(session: Session, name: string): Cell | undefined {
  for (const cell of session.cells.values())
    if (!cell.deleted && cell.active?.exports.some((exported) => exported.name === name)) return cell;
  return undefined;
}

function versionOf(active: Active | undefined, name: string): string | undefined {
  const exported = active?.exports.find((candidate) => candidate.name === name);
  return exported && (exported.kind === 'stream' ? 'stream' : exported.hash);
}

/** Another cell that has the name already: it ran, or it stands above in the document. */
function otherOwner(session: Session, cell: string, name: string, compiled: Compiled): string | undefined {
  let above = true;
  for (const { id, kind } of session.document) {
    if (id === cell) {
      above = false;
      continue;
    }
    const other = kind === 'code' ? session.cells.get(id) : undefined;
    if (!other) continue;
    const runs = other.active?.compiled.scope.declares.includes(name);
    if (runs || (above && !other.active && otherScope(compiled, id)?.declares.includes(name))) return id;
  }
  return undefined;
}

/** A cell may have the id "constructor", which every object has as well. */
function otherScope({ others }: Compiled, id: string): CellScope | undefined {
  return Object.hasOwn(others, id) ? others[id] : undefined;
}
