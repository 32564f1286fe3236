// "Arm Sink" and "Disarm Sink": switches whether a cell's sink writes. Arming asks each time, and
// the answer is not stored.
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { notificationText } from '../session/plain-label.ts';

export async function arm(cell: vscode.NotebookCell, live: LiveNotebook, armed: boolean): Promise<void> {
  const { id } = identities(cell.notebook).get(cell)!;
  const sink = live.stateOf(id)?.sink;
  if (sink === undefined) {
    void vscode.window.showInformationMessage(
      notificationText(`Cell "${id}" has no running sink. Run the cell first.`),
    );
    return;
  }
  if (armed) {
    const answer = await vscode.window.showWarningMessage(
      notificationText(`Write the rows of cell "${id}" to ${sink.target}?`),
      {
        modal: true,
        detail:
          (sink.obstacle === undefined ? '' : `${sink.obstacle}\n\n`) +
          'The rows have only been shown so far. From now on they are written until you disarm the sink or the session ends.',
      },
      'Arm',
    );
    if (answer !== 'Arm') return;
  }
  await live.arm(cell, armed);
}
