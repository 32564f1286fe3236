// "New Notebook": asks for a place and creates the file. VS Code would save an untitled notebook as
// plain .ts.
import * as vscode from 'vscode';
import { notebookType } from '../notebook/cell-metadata.ts';
import { newNotebookText, notebookPath } from './new-notebook-text.ts';

export async function newNotebook(): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const chosen = await vscode.window.showSaveDialog({
    title: 'New Sluice Notebook',
    saveLabel: 'Create',
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, 'notebook.sluice.ts') }),
    filters: { 'Sluice notebook': ['sluice.ts'] },
  });
  if (chosen === undefined) return;
  const uri = chosen.with({ path: notebookPath(chosen.path) });
  // The dialog has checked the chosen name only. With another ending, the file may exist.
  const exists = uri.path !== chosen.path && (await isThere(uri));
  if (!exists) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(newNotebookText(uri.path)));
  await openNotebook(uri);
}

export async function openNotebook(uri: vscode.Uri): Promise<void> {
  await vscode.commands.executeCommand('vscode.openWith', uri, notebookType);
}

export async function isThere(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
