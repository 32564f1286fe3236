// The id of each cell of a document: the id in its marker, or an id derived from its place if the
// marker has none.
// Derived ids are not written into the file, and every client of a session derives the same.
import type { CellKind } from './marker-line.ts';

export interface CellIdentity {
  readonly id: string;
  /** The problem that keeps the cell from running until its id is changed. */
  readonly problem?: 'duplicate' | 'invalid';
}

export const isCellId = (text: string): boolean => /^[A-Za-z_][\w-]*$/.test(text);

export function identify(
  cells: readonly { readonly kind: CellKind; readonly id?: string | undefined }[],
): CellIdentity[] {
  const taken = new Set<string>();
  const written = new Set(cells.map((cell) => cell.id));
  const ordinals = { code: 0, test: 0, markdown: 0 };
  return cells.map(({ kind, id }): CellIdentity => {
    if (id !== undefined) {
      if (!isCellId(id)) return { id, problem: 'invalid' };
      if (taken.has(id)) return { id, problem: 'duplicate' };
      taken.add(id);
      return { id };
    }
    const stem = kind === 'markdown' ? 'prose' : kind === 'test' ? 'test' : 'cell';
    let derived: string;
    do derived = `${stem}-${++ordinals[kind]}`;
    while (written.has(derived));
    return { id: derived };
  });
}
