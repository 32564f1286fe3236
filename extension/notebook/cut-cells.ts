// Remembers the metadata of removed cells by their text. A pasted cell has no metadata, so it gets
// the remembered one.
import type { EditorMetadata } from './cell-metadata.ts';

interface CutCell {
  readonly text: string;
  readonly metadata: EditorMetadata;
}

const remembered = 50;

export class CutCells {
  #cells: readonly CutCell[] = [];

  add(cell: CutCell): void {
    // Two empty cells are not the same cell, so empty cells are not remembered.
    if (cell.text.trim() === '' || cell.metadata.id === undefined) return;
    this.#cells = [cell, ...this.#cells.filter(({ metadata }) => metadata.id !== cell.metadata.id)].slice(
      0,
      remembered,
    );
  }

  /**
   * The metadata of the last removed cell with this text whose id is free. Each is returned only
   * once.
   */
  take(text: string, taken: ReadonlySet<string>): EditorMetadata | undefined {
    const found = this.#cells.find((cell) => cell.text === text && !taken.has(cell.metadata.id!));
    if (found !== undefined) this.#cells = this.#cells.filter((cell) => cell !== found);
    return found?.metadata;
  }
}
