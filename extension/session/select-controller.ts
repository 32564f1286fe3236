// Outputs are written through the selected controller only, so a notebook that joins a session it never ran in selects ours.
import * as vscode from 'vscode';
import type { LiveNotebook } from './live-notebook.ts';

export function selectController(live: LiveNotebook, controller: vscode.NotebookController, extension: string): void {
  if (live.isSelected || live.connection === undefined) return;
  const editor = vscode.window.visibleNotebookEditors.find(({ notebook }) => notebook === live.notebook);
  // Without an editor there is nothing to draw in; asked again when one is shown.
  if (editor === undefined) return;
  void vscode.commands
    .executeCommand('notebook.selectKernel', { notebookEditor: editor, id: controller.id, extension })
    .then(undefined, () => undefined);
}
