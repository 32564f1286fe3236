// Keeps the session of a notebook that is renamed or moved, alone or with its folder.
import { sep } from 'node:path';
import * as vscode from 'vscode';
import { joinSession } from '../../kernel/client/connect.ts';
import { entries } from '../../kernel/client/registry.ts';
import { sessionFolder } from '../../kernel/client/session-folder.ts';

/**
 * `then` is called after the registry has the new paths, so that notebooks without a session look
 * for one again.
 */
export function followRenames(build: string, then: () => void): vscode.Disposable {
  return vscode.workspace.onDidRenameFiles(async ({ files }) => {
    if (!vscode.workspace.isTrusted) return;
    for (const { oldUri, newUri } of files)
      if (oldUri.scheme === 'file' && newUri.scheme === 'file') await rename(oldUri.fsPath, newUri.fsPath, build);
    then();
  });
}

async function rename(from: string, to: string, build: string): Promise<void> {
  for (const { notebook } of entries(sessionFolder())) {
    if (notebook !== from && !notebook.startsWith(from + sep)) continue;
    try {
      const connection = await joinSession({ notebook, client: 'vscode', build });
      if (connection === undefined) continue;
      await connection.request('rename', { notebook: to + notebook.slice(from.length) });
      connection.close();
    } catch (error) {
      // A kernel that hangs must not keep the sessions of other notebooks from their new paths.
      void vscode.window.showWarningMessage(
        `The session of ${notebook} keeps its old path: ${(error as Error).message}`,
      );
    }
  }
}
