// VS Code applies a change of metadata by the index of the cell, also if the user has meanwhile
// inserted, moved or deleted a cell. Then another cell gets the id. It would be another cell for
// the session, and lose its state. So what cells had is remembered, and given back.
import type { EditorMetadata } from './cell-metadata.ts';

interface CellWithMetadata {
  readonly metadata: EditorMetadata;
}

export class GivenIds<Cell extends CellWithMetadata> {
  readonly #owners = new Map<string, Cell>();
  readonly #former = new Map<Cell, EditorMetadata>();

  /** Before the edit. Of cells that are known already, the first metadata hold. */
  remember(cells: readonly Cell[], given: ReadonlyMap<Cell, string>): void {
    for (const cell of cells) if (!this.#former.has(cell)) this.#former.set(cell, { ...cell.metadata });
    for (const [cell, id] of given) this.#owners.set(id, cell);
  }

  /** Cells that have the id of another cell, with what they had before. */
  misplaced(cells: readonly Cell[]): readonly (readonly [Cell, EditorMetadata])[] {
    return cells.flatMap((cell) => {
      const { id } = cell.metadata;
      const owner = id === undefined ? undefined : this.#owners.get(id);
      const former = this.#former.get(cell);
      return owner === undefined || owner === cell || former === undefined ? [] : [[cell, former] as const];
    });
  }
}

export interface IdEdits<Cell extends CellWithMetadata> {
  /** The cells of the notebook now. None of a closed one. */
  cells(): readonly Cell[];
  /** The cells that still need another id, with their metadata. */
  wanted(cells: readonly Cell[]): readonly (readonly [Cell, EditorMetadata])[];
  apply(changes: ReadonlyMap<Cell, EditorMetadata>): PromiseLike<unknown>;
}

/** An edit may be refused, or change another cell, if the notebook has changed meanwhile. */
const mostAttempts = 10;

/** Applies edits until each cell has its id, and no other cell has it. */
export async function applyIds<Cell extends CellWithMetadata>(edits: IdEdits<Cell>): Promise<void> {
  const given = new GivenIds<Cell>();
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const cells = edits.cells();
    const wanted = edits.wanted(cells);
    const changes = new Map([...wanted, ...given.misplaced(cells)]);
    if (changes.size === 0) return;
    given.remember(cells, new Map(wanted.map(([cell, { id }]) => [cell, id!])));
    await edits.apply(changes);
  }
}
