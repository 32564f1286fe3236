// "Start from Savepoint…": a new session of the notebook, with the cells and the state of a
// savepoint. Cells that were edited since then show it, and run when the user runs them.
import * as vscode from 'vscode';
import { basename } from 'node:path';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { notificationText } from '../session/plain-label.ts';

const start = 'Start from Savepoint';

export async function startFromSavepoint(live: LiveNotebook): Promise<void> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: 'Folder of the savepoint',
      openLabel: start,
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.joinPath(live.notebook.uri, '..'),
    })) ?? [];
  if (folder === undefined || !(await isConfirmed(live))) return;
  try {
    const { warnings = [] } = (await live.restart(folder.fsPath)) ?? {};
    if (warnings.length > 0) void vscode.window.showWarningMessage(notificationText(warnings.join(' ')));
  } catch (error) {
    void vscode.window.showErrorMessage(
      notificationText(`The session did not start: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}

/** What runs and what is offered would be lost, and sinks may write rows again. */
async function isConfirmed(live: LiveNotebook): Promise<boolean> {
  const hasRun = live.states.some(({ phase }) => phase !== 'not-run');
  const isOffered = live.session?.offered !== undefined;
  const lost = hasRun ? 'The running session ends, and its checkpoints are removed.' : 'Its checkpoint is removed.';
  const answer = await vscode.window.showWarningMessage(
    notificationText(`Start ${basename(live.notebook.uri.fsPath)} from a savepoint?`),
    {
      modal: true,
      detail: `${hasRun || isOffered ? `${lost} ` : ''}Sinks that were armed at the savepoint write all rows that come after it, also rows that they have written since then.`,
    },
    start,
  );
  return answer === start;
}
