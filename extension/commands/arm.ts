// "Arm Sink" and "Disarm Sink": whether a cell's sink writes. Asked each time, stored nowhere.
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from '../session/live-notebook.ts';

export async function arm(cell: vscode.NotebookCell, live: LiveNotebook, armed: boolean): Promise<void> {
  const { id } = identities(cell.notebook).get(cell)!;
  const sink = live.stateOf(id)?.sink;
  if (sink === undefined) {
    void vscode.window.showInformationMessage(`Cell "${id}" holds no sink that runs. Run it first.`);
    return;
  }
  if (armed) {
    const answer = await vscode.window.showWarningMessage(
      `Write the rows of cell "${id}" to ${sink.target}?`,
      {
        modal: true,
        detail:
          'Until now they were only shown. Rows are written from now on, until you disarm the sink or the session ends.',
      },
      'Arm',
    );
    if (answer !== 'Arm') return;
  }
  await live.arm(cell, armed);
}
