// The view "Sessions" of the side bar: the sessions that run, also those without a window, with
// Open and Shut Down.
import * as vscode from 'vscode';
import { basename } from 'node:path';
import { runningSessions, type RunningSession, shutDownSession } from '../../kernel/client/sessions.ts';
import { notebookType } from '../notebook/cell-metadata.ts';
import { notificationText } from '../session/plain-label.ts';
import { sessionText } from './session-text.ts';

const viewId = 'sluice.sessions';
const lookMillis = 5_000;

class SessionTree implements vscode.TreeDataProvider<RunningSession> {
  readonly #build: string;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(build: string) {
    this.#build = build;
  }
  refresh(): void {
    this.#changed.fire();
  }
  async getChildren(of?: RunningSession): Promise<RunningSession[]> {
    return of === undefined && vscode.workspace.isTrusted ? [...(await runningSessions(this.#build))] : [];
  }
  getTreeItem(session: RunningSession): vscode.TreeItem {
    const { notebook, session: id } = session.entry;
    const item = new vscode.TreeItem(basename(notebook).replace(/\.sluice\.ts$/, ''));
    item.id = id;
    item.description = sessionText(session);
    item.tooltip = notebook;
    item.iconPath = new vscode.ThemeIcon(session.welcome === undefined ? 'warning' : 'circle-filled');
    item.contextValue = 'session';
    return item;
  }
  dispose(): void {
    this.#changed.dispose();
  }
}

/** `willEnd`: this window is about to end the session with this id, and why. */
export function registerSessions(build: string, willEnd: (session: string, reason: string) => void): vscode.Disposable {
  const tree = new SessionTree(build);
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: tree });
  const timer = setInterval(() => view.visible && tree.refresh(), lookMillis);
  const end = async (sessions: readonly RunningSession[]): Promise<void> => {
    const names = sessions.map(({ entry }) => basename(entry.notebook)).join(', ');
    if (sessions.length === 0) return void vscode.window.showInformationMessage('No session runs.');
    const answer = await vscode.window.showWarningMessage(
      notificationText(
        `Shut down ${sessions.length === 1 ? 'the session of' : `${sessions.length} sessions:`} ${names}?`,
      ),
      {
        modal: true,
        detail:
          'What their cells keep stays in their checkpoints: Resume goes on from there. A session that keeps no checkpoints loses it.',
      },
      'Shut Down',
    );
    if (answer === undefined) return;
    for (const { entry } of sessions) willEnd(entry.session, 'The session was shut down.');
    await Promise.all(sessions.map(({ entry }) => shutDownSession(entry, build)));
    tree.refresh();
  };
  return vscode.Disposable.from(
    tree,
    view,
    { dispose: () => clearInterval(timer) },
    vscode.commands.registerCommand('sluice.showSessions', () => vscode.commands.executeCommand(`${viewId}.focus`)),
    vscode.commands.registerCommand('sluice.refreshSessions', () => tree.refresh()),
    vscode.commands.registerCommand('sluice.openSession', ({ entry }: RunningSession) =>
      vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(entry.notebook), notebookType),
    ),
    vscode.commands.registerCommand('sluice.shutDownSession', (session: RunningSession) => end([session])),
    vscode.commands.registerCommand('sluice.shutDownAllSessions', async () => end(await runningSessions(build))),
  );
}
