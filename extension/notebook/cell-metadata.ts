// The data of a cell in the file that passes through VS Code, as the metadata of its notebook cell.
// JSON only.
import type { CellMetadata, NotebookCell } from '../../kernel/protocol/notebook-file.ts';

export interface EditorMetadata {
  readonly id?: string;
  readonly kind?: 'test';
  /** How the cell's lines were written. Only the codec uses it. */
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

/**
 * `isProse` comes from VS Code, the rest from the metadata. So a code cell that became prose and
 * code again is unchanged.
 */
export function fileCell(isProse: boolean, text: string, metadata: EditorMetadata): NotebookCell {
  return {
    kind: isProse ? 'markdown' : metadata.kind === 'test' ? 'test' : 'code',
    ...(metadata.id === undefined ? {} : { id: metadata.id }),
    text: text.replace(/\r\n?/g, '\n'),
    metadata: metadata.source ?? {},
  };
}
