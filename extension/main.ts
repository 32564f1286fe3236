// The extension's entry: one controller, one renderer channel, and a live notebook for each open
// document.
import * as vscode from 'vscode';
import { arm } from './commands/arm.ts';
import { LivePages } from './commands/live-page.ts';
import { newNotebook } from './commands/new-notebook.ts';
import { openSample } from './commands/open-sample.ts';
import { renameCell } from './commands/rename-cell.ts';
import { setUpFolder } from './commands/set-up-folder.ts';
import { targetCell, targetNotebook } from './commands/target.ts';
import { registerLanguageFeatures } from './language/features.ts';
import { registerCellIds } from './notebook/cell-ids.ts';
import { cellLanguage, notebookType } from './notebook/cell-metadata.ts';
import { serializer } from './notebook/serializer.ts';
import { connectTo } from './session/connect.ts';
import { Executions } from './session/executions.ts';
import { followRenames } from './session/follow-renames.ts';
import { LiveNotebook } from './session/live-notebook.ts';
import { showProblems } from './session/problems.ts';
import { selectController } from './session/select-controller.ts';
import { cellStatusItems } from './session/status-bar.ts';
import { ViewRelay } from './session/view-relay.ts';

export function activate(context: vscode.ExtensionContext): void {
  const own = <T extends vscode.Disposable>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };
  own(vscode.workspace.registerNotebookSerializer(notebookType, serializer, { transientOutputs: true }));
  own(registerCellIds());

  const lives = new Map<vscode.NotebookDocument, LiveNotebook>();
  const controller = own(vscode.notebooks.createNotebookController('sluice', notebookType, 'Sluice'));
  controller.supportedLanguages = [cellLanguage];
  controller.description = 'one live session per notebook';
  const executions = new Executions(controller, (cell) => void lives.get(cell.notebook)?.interrupt(cell));
  const relay = new ViewRelay(vscode.notebooks.createRendererMessaging('sluice-view'), (notebook) =>
    lives.get(notebook),
  );
  own(relay.register());
  const advice = own(vscode.languages.createDiagnosticCollection('sluice types'));
  const languageServer = vscode.Uri.joinPath(context.extensionUri, 'dist', 'language.cjs').fsPath;
  const problems = own(vscode.languages.createDiagnosticCollection('sluice'));
  own(
    registerLanguageFeatures(languageServer, advice, () =>
      lives.forEach((live) => showProblems(problems, advice, live)),
    ),
  );
  // A deleted cell must leave no problems behind.
  own(
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      problems.delete(uri);
      advice.delete(uri);
    }),
  );
  const statusChanged = own(new vscode.EventEmitter<void>());
  own(
    vscode.notebooks.registerNotebookCellStatusBarItemProvider(notebookType, {
      onDidChangeCellStatusBarItems: statusChanged.event,
      provideCellStatusBarItems: (cell) => cellStatusItems(cell, lives.get(cell.notebook)),
    }),
  );

  const { version: build } = context.extension.packageJSON as { version: string };
  const connect = connectTo(context.extensionUri, build);
  const opened = (notebook: vscode.NotebookDocument): void => {
    if (notebook.notebookType !== notebookType || lives.has(notebook)) return;
    controller.updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred);
    const live = new LiveNotebook(notebook, connect, executions);
    lives.set(notebook, live);
    live.isSelected = selected.has(notebook);
    live.onDidChange(() => {
      statusChanged.fire();
      showProblems(problems, advice, live);
    });
    live.onDidAttach((connection) => {
      relay.attached(live, connection);
      selectController(live, controller, context.extension.id);
    });
    if (vscode.workspace.isTrusted && notebook.uri.scheme === 'file') void live.join();
  };
  const closed = (notebook: vscode.NotebookDocument): void => {
    const live = lives.get(notebook);
    if (live === undefined) return;
    lives.delete(notebook);
    relay.forget(live);
    live.dispose();
    for (const cell of notebook.getCells()) problems.delete(cell.document.uri);
  };
  const selected = new WeakSet<vscode.NotebookDocument>();
  own(
    controller.onDidChangeSelectedNotebooks(({ notebook, selected: isSelected }) => {
      if (isSelected) selected.add(notebook);
      else selected.delete(notebook);
      const live = lives.get(notebook);
      if (live !== undefined) live.isSelected = isSelected;
    }),
  );
  own(
    vscode.window.onDidChangeVisibleNotebookEditors(() =>
      lives.forEach((live) => selectController(live, controller, context.extension.id)),
    ),
  );
  own(vscode.workspace.onDidOpenNotebookDocument(opened));
  own(vscode.workspace.onDidCloseNotebookDocument(closed));
  own(vscode.workspace.onDidChangeNotebookDocument((event) => lives.get(event.notebook)?.documentChanged(event)));
  const joinAll = (): void => lives.forEach((live) => void live.join());
  own(vscode.workspace.onDidGrantWorkspaceTrust(joinAll));
  own(followRenames(build, joinAll));
  own({ dispose: () => [...lives.keys()].forEach(closed) });

  controller.executeHandler = async (cells, notebook) => {
    opened(notebook);
    await lives.get(notebook)?.run(cells);
  };

  const command = (id: string, run: (argument: unknown) => unknown): void => {
    own(vscode.commands.registerCommand(`sluice.${id}`, run));
  };
  const liveOf = (argument: unknown): LiveNotebook | undefined => {
    const notebook = targetNotebook(argument);
    return notebook === undefined ? undefined : lives.get(notebook);
  };
  const armCell = (argument: unknown, armed: boolean): Promise<void> | undefined => {
    const cell = targetCell(argument);
    const live = cell === undefined ? undefined : lives.get(cell.notebook);
    return cell === undefined || live === undefined ? undefined : arm(cell, live, armed);
  };
  const livePages = own(new LivePages(vscode.Uri.joinPath(context.extensionUri, 'dist', 'cli.js').fsPath));
  command('openLivePage', (argument) => {
    const live = liveOf(argument);
    return live === undefined ? undefined : livePages.open(live);
  });
  command('openSample', () => openSample(context.extensionUri));
  command('newNotebook', newNotebook);
  command('setUpFolder', (argument) => setUpFolder(context.extensionUri, argument));
  command('interrupt', (argument) => liveOf(argument)?.interrupt());
  command('interruptCell', (argument) => {
    const cell = targetCell(argument);
    return cell === undefined ? undefined : lives.get(cell.notebook)?.interrupt(cell);
  });
  command('restart', (argument) => liveOf(argument)?.restart());
  command('arm', (argument) => armCell(argument, true));
  command('disarm', (argument) => armCell(argument, false));
  command('renameCell', renameCell);

  vscode.workspace.notebookDocuments.forEach(opened);
}
