// Converts the bytes of `*.sluice.ts` to VS Code's notebook data and back. It invents no ids and
// keeps no outputs.
import * as vscode from 'vscode';
import { decodeBytes, encode, parseNotebook, serializeNotebook } from '../../kernel/protocol/notebook-file.ts';
import { cellLanguage, editorMetadata, fileCell, type EditorMetadata } from './cell-metadata.ts';

export const serializer: vscode.NotebookSerializer = {
  deserializeNotebook(bytes) {
    const cells = parseNotebook(decodeBytes(bytes)).map((cell) => {
      const data =
        cell.kind === 'markdown'
          ? new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, cell.text, 'markdown')
          : new vscode.NotebookCellData(vscode.NotebookCellKind.Code, cell.text, cellLanguage);
      data.metadata = editorMetadata(cell);
      return data;
    });
    return new vscode.NotebookData(cells);
  },
  serializeNotebook(data) {
    return encode(
      serializeNotebook(
        data.cells.map((cell) =>
          fileCell(cell.kind === vscode.NotebookCellKind.Markup, cell.value, (cell.metadata ?? {}) as EditorMetadata),
        ),
      ),
    );
  },
};
