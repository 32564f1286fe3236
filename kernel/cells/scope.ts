// The names that each cell defines for other cells and uses from them, and the errors in them:
// a name defined twice, a circle, an assignment to a name of another cell.
import type { Declared, ImportedModule, NameKind, Reference, Resolution } from './resolution.ts';

export interface DeclaredName {
  readonly name: string;
  readonly kind: NameKind;
  readonly isValue: boolean;
  readonly offset: number;
}
export interface UsedName {
  readonly name: string;
  /** Id of the cell that declares it. */
  readonly cell: string;
  /** Offset of the first use. */
  readonly offset: number;
}
export interface CellScope {
  readonly id: string;
  readonly declares: readonly DeclaredName[];
  /** Values of other cells. A type makes no dependency. */
  readonly uses: readonly UsedName[];
  readonly imports: readonly ImportedModule[];
}

/** One scope for each cell of the module, prose included, in document order. */
export function scopesOf(resolution: Resolution): CellScope[] {
  const { cells } = resolution.module;
  const declares = groupByCell(cells.length, resolution.declared);
  const references = groupByCell(cells.length, resolution.references);
  const imports = groupByCell(cells.length, resolution.imports);
  return cells.map(({ id }, i) => ({
    id,
    declares: declares[i]!.map(({ name, kind, isValue, at }) => ({ name, kind, isValue, offset: at.offset })),
    uses: usesOf(references[i]!, i, new Set(declares[i]!.map(({ name }) => name)), (cell) => cells[cell]!.id),
    imports: imports[i]!,
  }));
}

function usesOf(
  references: readonly Reference[],
  cell: number,
  own: ReadonlySet<string>,
  idOf: (cell: number) => string,
): UsedName[] {
  // A cell uses its own declaration, although TypeScript gives a name that is declared twice to the
  // first cell.
  const uses = new Map<string, UsedName>();
  // An assignment to a name of another cell is an error, not a dependency.
  for (const { name, at, declared, isAssignment } of references)
    if (declared !== undefined && declared.at.cell !== cell && !isAssignment && !own.has(name) && !uses.has(name))
      uses.set(name, { name, cell: idOf(declared.at.cell), offset: at.offset });
  return [...uses.values()];
}

function groupByCell<T extends { readonly at: { readonly cell: number } }>(count: number, items: readonly T[]): T[][] {
  const groups = Array.from({ length: count }, (): T[] => []);
  for (const item of items) groups[item.at.cell]?.push(item);
  return groups;
}

export interface ScopeProblem {
  readonly code:
    | 'duplicate-name'
    | 'duplicate-id'
    | 'cycle'
    | 'foreign-assignment'
    | 'captured-assignment'
    | 'use-before-definition';
  readonly cell: number;
  readonly offset: number;
  readonly length: number;
  readonly message: string;
  /** All cells of the circle. */
  readonly members?: readonly number[];
}

/**
 * Later cells that declare a name again. Interfaces and namespaces merge, as in TypeScript, and so
 * do overloads in one cell.
 */
export function duplicateNames({ module, declared }: Resolution): ScopeProblem[] {
  const first = new Map<string, Declared>();
  const problems: ScopeProblem[] = [];
  for (const entry of declared) {
    const other = first.get(entry.name);
    if (other === undefined) first.set(entry.name, entry);
    else if (other.at.cell !== entry.at.cell && !addsUp(other, entry))
      problems.push({
        code: 'duplicate-name',
        ...entry.at,
        length: entry.name.length,
        message: `Cell "${module.cells[entry.at.cell]!.id}": ${entry.name} is already defined in cell "${module.cells[other.at.cell]!.id}". Rename one of them.`,
      });
  }
  return problems;
}
function addsUp(a: Declared, b: Declared): boolean {
  if (!a.isValue || !b.isValue) return a.isValue !== b.isValue || (a.kind === 'type' && b.kind === 'type');
  return a.kind === 'namespace' || b.kind === 'namespace';
}

export function duplicateIds({ module }: Resolution): ScopeProblem[] {
  const seen = new Set<string>();
  return module.cells.flatMap(({ id }, cell) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    const message = `Two cells have the id "${id}". The later one does not run until it has another id.`;
    return [{ code: 'duplicate-id' as const, cell, offset: 0, length: 0, message }];
  });
}

/** One problem for each circle of cells that use each other's values. */
export function cycles(scopes: readonly CellScope[]): ScopeProblem[] {
  const indexById = new Map(scopes.map(({ id }, i) => [id, i] as const).reverse());
  const state = new Map<number, 'open' | 'done'>();
  const problems: ScopeProblem[] = [];
  const walk = (cell: number, path: readonly number[]): void => {
    if (state.get(cell) === 'done') return;
    if (state.get(cell) === 'open') {
      const circle = path.slice(path.indexOf(cell));
      const last = circle.at(-1)!;
      const use = scopes[last]!.uses.find((candidate) => candidate.cell === scopes[cell]!.id);
      const names = [...circle, cell].map((index) => scopes[index]!.id).join(' → ');
      problems.push({
        code: 'cycle',
        cell: last,
        offset: use?.offset ?? 0,
        length: use?.name.length ?? 0,
        message: `Cells ${names} depend on each other. Move one of the definitions.`,
        members: circle,
      });
      return;
    }
    state.set(cell, 'open');
    const needed = new Set(scopes[cell]!.uses.map((use) => indexById.get(use.cell)!));
    for (const other of needed) walk(other, [...path, cell]);
    state.set(cell, 'done');
  };
  for (const cell of scopes.keys()) walk(cell, []);
  return problems;
}

/** Only the cell that declares a `let` may assign to it. */
export function foreignAssignments({ module, declared: all, references }: Resolution): ScopeProblem[] {
  return references.flatMap(({ name, at, declared, isAssignment }) => {
    if (!isAssignment || declared === undefined || declared.at.cell === at.cell) return [];
    if (all.some((other) => other.at.cell === at.cell && other.name === name)) return [];
    const owner = module.cells[declared.at.cell]!.id;
    const message = `Cell "${module.cells[at.cell]!.id}": only cell "${owner}" may assign to ${name}. Assign it there, or declare another name in this cell.`;
    return [{ code: 'foreign-assignment' as const, ...at, length: name.length, message }];
  });
}

/**
 * A function must not assign to a variable that it captures. The value would be neither saved nor
 * shared.
 */
export function capturedAssignments({ references }: Resolution): ScopeProblem[] {
  return references.flatMap(({ name, at, declared, isAssignment, isInFunction }) => {
    if (!isAssignment || !isInFunction || declared === undefined || declared.at.cell !== at.cell) return [];
    const message = `This function assigns to ${name}, which it captures: the value would be neither saved nor shared. Keep it in keyed state, or in the elements.`;
    return [{ code: 'captured-assignment' as const, ...at, length: name.length, message }];
  });
}

/**
 * Cells in VS Code run in any order. For `tsc` and for a reader, a definition must stand above its
 * use.
 */
export function usesBeforeDefinition({ module, references }: Resolution): ScopeProblem[] {
  return references.flatMap(({ name, at, declared, isInFunction }) => {
    if (declared === undefined || isInFunction || declared.kind === 'import' || declared.kind === 'function') return [];
    if (declared.at.cell <= at.cell) return [];
    const message = `${name} is used above its definition in cell "${module.cells[declared.at.cell]!.id}". Move that cell up.`;
    return [{ code: 'use-before-definition' as const, ...at, length: name.length, message }];
  });
}
