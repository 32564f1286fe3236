// The target of a command. Menus pass a cell or the notebook's address; the command palette passes
// nothing.
import * as vscode from 'vscode';
import { notebookType } from '../notebook/cell-metadata.ts';

export function targetNotebook(argument: unknown): vscode.NotebookDocument | undefined {
  if (isCell(argument)) return argument.notebook;
  const uri = (argument as { notebookEditor?: { notebookUri?: vscode.Uri } } | undefined)?.notebookEditor?.notebookUri;
  const notebook =
    uri === undefined
      ? vscode.window.activeNotebookEditor?.notebook
      : vscode.workspace.notebookDocuments.find((other) => other.uri.toString() === uri.toString());
  return notebook?.notebookType === notebookType ? notebook : undefined;
}

export function targetCell(argument: unknown): vscode.NotebookCell | undefined {
  if (isCell(argument)) return argument;
  const editor = vscode.window.activeNotebookEditor;
  if (editor === undefined || editor.notebook.notebookType !== notebookType) return undefined;
  const at = editor.selections[0]?.start;
  return at !== undefined && at < editor.notebook.cellCount ? editor.notebook.cellAt(at) : undefined;
}

function isCell(argument: unknown): argument is vscode.NotebookCell {
  return typeof argument === 'object' && argument !== null && 'document' in argument && 'notebook' in argument;
}
