// Selects our controller for a notebook that joins a session. Outputs can be written only through
// the selected controller.
import * as vscode from 'vscode';
import type { LiveNotebook } from './live-notebook.ts';

export function selectController(live: LiveNotebook, controller: vscode.NotebookController, extension: string): void {
  if (live.isSelected || live.connection === undefined) return;
  const editor = vscode.window.visibleNotebookEditors.find(({ notebook }) => notebook === live.notebook);
  // Without an editor there is nothing to draw in. The call is repeated when an editor is shown.
  if (editor === undefined) return;
  void vscode.commands
    .executeCommand('notebook.selectKernel', { notebookEditor: editor, id: controller.id, extension })
    .then(undefined, () => undefined);
}
