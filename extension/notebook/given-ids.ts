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
