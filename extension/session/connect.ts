// Connects the extension to a notebook's session. The shipped kernel runs with the editor's own
// Node.
import * as vscode from 'vscode';
import { connectSession, joinSession } from '../../kernel/client/connect.ts';
import type { Connections } from '../browse/connections.ts';
import { checkpointVariables } from './checkpoint-variables.ts';
import type { Connect } from './live-notebook.ts';

export function connectTo(extension: vscode.Uri, build: string, connections: Connections): Connect {
  const kernelPath = vscode.Uri.joinPath(extension, 'dist', 'kernel.cjs').fsPath;
  return async (notebook, { start }) => {
    // In an untrusted folder nothing connects and nothing starts, for any caller.
    if (!vscode.workspace.isTrusted) {
      if (!start) return undefined;
      throw new Error('This folder is not trusted, so nothing runs. Trust it to run cells.');
    }
    const own = { notebook, client: 'vscode', build } as const;
    if (!start) return await joinSession(own);
    const settings = vscode.workspace.getConfiguration('sluice');
    const memory = settings.get('memory', 0);
    const env = {
      // Errors name settings instead of variables.
      SLUICE_EDITOR: '1',
      ...(memory > 0 && { SLUICE_MEMORY: String(memory) }),
      ...checkpointVariables((name, byDefault) => settings.get(name, byDefault)),
    };
    return await connectSession({
      ...own,
      kernelPath,
      execPath: process.execPath,
      idleMinutes: settings.get('idleMinutes', 10),
      env,
      connections: await connections.withSecrets(),
    });
  };
}
