// "Take Savepoint": writes the state of the running session into a folder of the user's choice.
import * as vscode from 'vscode';
import type { Connection } from '../../kernel/client/connect.ts';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { notificationText } from '../session/plain-label.ts';

const copyPath = 'Copy Path';

export async function takeSavepoint(live: LiveNotebook): Promise<void> {
  const { connection } = live;
  // Otherwise the savepoint would wait until something runs.
  const hasRun = live.states.some(({ phase }) => phase !== 'not-run');
  if (connection === undefined || !hasRun) {
    const what =
      live.session?.offered === undefined
        ? 'Nothing of this notebook runs. Run a cell first.'
        : 'Nothing of this notebook runs yet. Choose Resume or Start Fresh first.';
    void vscode.window.showInformationMessage(what);
    return;
  }
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: 'Folder for the savepoint',
      openLabel: 'Take Savepoint',
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.joinPath(live.notebook.uri, '..'),
    })) ?? [];
  if (folder === undefined) return;
  try {
    const path = await written(live, connection, folder.fsPath);
    const answer = await vscode.window.showInformationMessage(
      notificationText(
        `The savepoint is ${path}. Start from Savepoint…, and "sluice run --from-savepoint", start from it.`,
      ),
      copyPath,
    );
    if (answer === copyPath) await vscode.env.clipboard.writeText(path);
  } catch (error) {
    void vscode.window.showErrorMessage(
      notificationText(`The savepoint was not written: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}

/** Says what it waits for, if it does. Cancel gives it up. */
async function written(live: LiveNotebook, connection: Connection, directory: string): Promise<string> {
  const shown = { location: vscode.ProgressLocation.Notification, title: 'Taking a savepoint', cancellable: true };
  return await vscode.window.withProgress(shown, async (progress, cancelled) => {
    const report = (): void => progress.report({ message: notificationText(live.session?.savepoint ?? '') });
    const listeners = [
      live.onDidChange(report),
      cancelled.onCancellationRequested(() => void connection.request('giveUpSavepoint', null)),
    ];
    try {
      return (await connection.request('savepoint', { directory })).path;
    } finally {
      for (const listener of listeners) listener.dispose();
    }
  });
}
