// Finds the cell of a document, and the position in it as the language server knows it.
import * as vscode from 'vscode';
import type { CellPosition } from '../../kernel/protocol/language.ts';

/** undefined: the document is no cell, or the folder is not trusted. */
export type PositionOf = (document: vscode.TextDocument, position: vscode.Position) => CellPosition | undefined;

/** `tell` sends the texts of a notebook. It runs first, because the position refers to them. */
export function positionAfter(tell: (notebook: vscode.NotebookDocument) => void): PositionOf {
  return (document, position) => {
    const notebook = vscode.workspace.notebookDocuments.find((other) =>
      other.getCells().some((cell) => cell.document === document),
    );
    if (notebook === undefined || !vscode.workspace.isTrusted) return undefined;
    tell(notebook);
    return {
      notebook: notebook.uri.fsPath,
      cell: document.uri.toString(),
      position: { line: position.line, character: position.character },
    };
  };
}
