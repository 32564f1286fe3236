// Saves all rows that a display keeps to a file of the user's choice, one JSON object per line.
import * as vscode from 'vscode';
import type { LiveNotebook } from './live-notebook.ts';
import type { Connection } from '../../kernel/client/connect.ts';

export async function saveRows(live: LiveNotebook, connection: Connection, view: string, part: string): Promise<void> {
  const { jsonl } = await connection.request('rows', { view, part });
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(live.notebook.uri, '..', `${view}.jsonl`),
    filters: { 'JSON lines': ['jsonl'] },
  });
  if (target !== undefined) await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(jsonl));
}
