// What cells that were taken out of a notebook carried, by their text: what is pasted comes without it, and gets it back.
import type { EditorMetadata } from './cell-metadata.ts';

interface CutCell {
  readonly text: string;
  readonly metadata: EditorMetadata;
}

const remembered = 50;

export class CutCells {
  #cells: readonly CutCell[] = [];

  add(cell: CutCell): void {
    // An empty cell is not the one that was deleted before, only as empty.
    if (cell.text.trim() === '' || cell.metadata.id === undefined) return;
    this.#cells = [cell, ...this.#cells.filter(({ metadata }) => metadata.id !== cell.metadata.id)].slice(
      0,
      remembered,
    );
  }

  /** The metadata of the cell with this text that was cut last and whose id nobody has; each is given back once. */
  take(text: string, taken: ReadonlySet<string>): EditorMetadata | undefined {
    const found = this.#cells.find((cell) => cell.text === text && !taken.has(cell.metadata.id!));
    if (found !== undefined) this.#cells = this.#cells.filter((cell) => cell !== found);
    return found?.metadata;
  }
}
