// What a cell of the file carries through VS Code: the metadata of its notebook cell, JSON only.
import type { CellMetadata, NotebookCell } from '../../kernel/protocol/notebook-file.ts';

export interface EditorMetadata {
  readonly id?: string;
  readonly kind?: 'test';
  /** How the cell's lines were written; belongs to the codec. */
  readonly source?: CellMetadata;
}

export const cellLanguage = 'sluice';
export const notebookType = 'sluice-notebook';

export function editorMetadata(cell: NotebookCell): EditorMetadata {
  return {
    ...(cell.id === undefined ? {} : { id: cell.id }),
    ...(cell.kind === 'test' ? { kind: cell.kind } : {}),
    source: cell.metadata,
  };
}

/** `isProse` comes from VS Code, the rest from the metadata: a code cell that became prose and back is what it was. */
export function fileCell(isProse: boolean, text: string, metadata: EditorMetadata): NotebookCell {
  return {
    kind: isProse ? 'markdown' : metadata.kind === 'test' ? 'test' : 'code',
    ...(metadata.id === undefined ? {} : { id: metadata.id }),
    text: text.replace(/\r\n?/g, '\n'),
    metadata: metadata.source ?? {},
  };
}
