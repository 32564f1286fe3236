// The extension's entry: one controller, one renderer channel, and a live notebook for each open
// document.
import * as vscode from 'vscode';
import { registerCommands } from './commands/register-commands.ts';
import { registerLanguageFeatures } from './language/features.ts';
import { registerCellIds } from './notebook/cell-ids.ts';
import { cellLanguage, notebookType } from './notebook/cell-metadata.ts';
import { serializer } from './notebook/serializer.ts';
import { connectTo } from './session/connect.ts';
import { followRenames } from './session/follow-renames.ts';
import { LiveNotebooks } from './session/live-notebooks.ts';
import { showProblems } from './session/problems.ts';
import { cellStatusItems } from './session/status-bar.ts';
import { ViewRelay } from './session/view-relay.ts';

export function activate(context: vscode.ExtensionContext): void {
  const own = <T extends vscode.Disposable>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };
  const { version: build } = context.extension.packageJSON as { version: string };
  own(vscode.workspace.registerNotebookSerializer(notebookType, serializer, { transientOutputs: true }));
  own(registerCellIds());

  const controller = own(createController());
  const advice = own(vscode.languages.createDiagnosticCollection('sluice types'));
  const problems = own(vscode.languages.createDiagnosticCollection('sluice'));
  const statusChanged = own(new vscode.EventEmitter<void>());
  const lives = new LiveNotebooks(context.extension.id, controller, connectTo(context.extensionUri, build), {
    changed: (live) => {
      statusChanged.fire();
      showProblems(problems, advice, live);
    },
    attached: (live, connection) => relay.attached(live, connection),
    closed: (live) => {
      relay.forget(live);
      for (const cell of live.notebook.getCells()) problems.delete(cell.document.uri);
    },
  });
  const relay = new ViewRelay(vscode.notebooks.createRendererMessaging('sluice-view'), (notebook) =>
    lives.of(notebook),
  );
  own(relay.register());

  const languageServer = vscode.Uri.joinPath(context.extensionUri, 'dist', 'language.cjs').fsPath;
  const showAllProblems = (): void => lives.all.forEach((live) => showProblems(problems, advice, live));
  own(registerLanguageFeatures(languageServer, advice, showAllProblems));
  own(forgetDeletedCells([problems, advice]));
  own(registerStatusItems(lives, statusChanged.event));
  own(lives.register());
  own(followRenames(build, () => lives.joinAll()));

  controller.executeHandler = async (cells, notebook) => {
    lives.open(notebook);
    await lives.of(notebook)?.run(cells);
  };
  own(registerCommands(context.extensionUri, (notebook) => lives.of(notebook)));
  vscode.workspace.notebookDocuments.forEach((notebook) => lives.open(notebook));
}

function createController(): vscode.NotebookController {
  const controller = vscode.notebooks.createNotebookController('sluice', notebookType, 'Sluice');
  controller.supportedLanguages = [cellLanguage];
  controller.description = 'one live session per notebook';
  return controller;
}

/** A deleted cell must leave no problems behind. */
function forgetDeletedCells(collections: readonly vscode.DiagnosticCollection[]): vscode.Disposable {
  return vscode.workspace.onDidCloseTextDocument(({ uri }) => {
    for (const collection of collections) collection.delete(uri);
  });
}

function registerStatusItems(lives: LiveNotebooks, changed: vscode.Event<void>): vscode.Disposable {
  return vscode.notebooks.registerNotebookCellStatusBarItemProvider(notebookType, {
    onDidChangeCellStatusBarItems: changed,
    provideCellStatusBarItems: (cell) => cellStatusItems(cell, lives.of(cell.notebook)),
  });
}
