// "Open as Cell": writes a cell that reads a topic, at the end of the notebook that was active
// last, or of a new one. It runs nothing.
import * as vscode from 'vscode';
import { cellLanguage, notebookType } from '../notebook/cell-metadata.ts';
import { newNotebook } from '../commands/new-notebook.ts';
import { cellOfTopic, namesOf } from './cell-of-topic.ts';

let lastNotebook: vscode.NotebookDocument | undefined;

/** Remembers the notebook that was active last: a peek or a schema may cover it. */
export function followActiveNotebook(): vscode.Disposable {
  const follow = (editor: vscode.NotebookEditor | undefined): void => {
    if (editor?.notebook.notebookType === notebookType) lastNotebook = editor.notebook;
  };
  follow(vscode.window.activeNotebookEditor);
  return vscode.window.onDidChangeActiveNotebookEditor(follow);
}

export async function openAsCell(connection: string, topic: string): Promise<void> {
  if (!openNotebook()) await newNotebook();
  const notebook = openNotebook();
  if (!notebook) return;
  const cells = notebook.getCells().filter(({ kind }) => kind === vscode.NotebookCellKind.Code);
  const text = cellOfTopic(topic, connection, namesOf(cells.map(({ document }) => document.getText())));
  const edit = new vscode.WorkspaceEdit();
  const cell = new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, cellLanguage);
  edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(notebook.cellCount, [cell])]);
  await vscode.workspace.applyEdit(edit);
  const at = new vscode.NotebookRange(notebook.cellCount - 1, notebook.cellCount);
  const shown = await vscode.window.showNotebookDocument(notebook, { selections: [at] });
  shown.revealRange(at, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
}

function openNotebook(): vscode.NotebookDocument | undefined {
  if (lastNotebook?.isClosed === false) return lastNotebook;
  return vscode.workspace.notebookDocuments.find((one) => one.notebookType === notebookType && !one.isClosed);
}
