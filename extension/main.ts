// The extension's entry: one controller, one renderer channel, and a live notebook for each open
// document.
import * as vscode from 'vscode';
import { Connections } from './browse/connections.ts';
import { registerBrowser } from './browse/register-browser.ts';
import { registerExport } from './commands/export-job.ts';
import { registerCommands } from './commands/register-commands.ts';
import { registerLanguageFeatures } from './language/features.ts';
import { identities, registerCellIds } from './notebook/cell-ids.ts';
import { cellLanguage, notebookType } from './notebook/cell-metadata.ts';
import { serializer } from './notebook/serializer.ts';
import { registerSessions } from './sessions/session-tree.ts';
import { connectTo } from './session/connect.ts';
import { DurabilityItem } from './session/durability-item.ts';
import { followRenames } from './session/follow-renames.ts';
import type { Ended, LiveNotebook } from './session/live-notebook.ts';
import { LiveNotebooks } from './session/live-notebooks.ts';
import { offerAfterEnd } from './session/after-the-end.ts';
import { registerOpenSetting } from './session/open-setting.ts';
import { showProblems } from './session/problems.ts';
import { ResumeOffers } from './session/resume-offers.ts';
import { cellStatusItems } from './session/status-bar.ts';
import { figuresMillis, StatusPace } from './session/status-pace.ts';
import { ViewRelay } from './session/view-relay.ts';

export function activate(context: vscode.ExtensionContext): void {
  const own = <T extends vscode.Disposable>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };
  const { version: build } = context.extension.packageJSON as { version: string };
  own(vscode.workspace.registerNotebookSerializer(notebookType, serializer, { transientOutputs: true }));
  own(registerCellIds());

  const connections = new Connections(context.secrets);
  own(connections.register(context.secrets));
  const { topicCompletions } = own(registerBrowser(context.extensionUri, connections));

  const controller = own(createController());
  const advice = own(vscode.languages.createDiagnosticCollection('sluice types'));
  const problems = own(vscode.languages.createDiagnosticCollection('sluice'));
  const statusChanged = own(new vscode.EventEmitter<void>());
  const statusPace = new StatusPace(() => statusChanged.fire());
  const offers = new ResumeOffers();
  const lives = new LiveNotebooks(
    context.extension.id,
    controller,
    connectTo(context.extensionUri, build, connections),
    {
      changed: (live) => {
        offers.changed(live);
        statusPace.changed(statusOf(lives, offers));
        durability.update();
        showProblems(problems, advice, live);
      },
      beforeRun: (live, connection) => offers.settle(live, connection),
      attached: (live, connection) => relay.attached(live, connection),
      ended: (live, ended) => {
        relay.ended(live, ended.session);
        void afterEnd(live, ended, offers);
      },
      closed: (live) => {
        relay.forget(live);
        for (const cell of live.notebook.getCells()) problems.delete(cell.document.uri);
      },
    },
  );
  const durability = own(
    new DurabilityItem(() => {
      const active = vscode.window.activeNotebookEditor?.notebook;
      const live = active && lives.of(active);
      return live && { session: live.session, offer: offers.of(live) };
    }),
  );
  // The age of a checkpoint changes by itself.
  const ages = setInterval(() => statusPace.changed(statusOf(lives, offers)), figuresMillis);
  own({ dispose: () => clearInterval(ages) });
  const relay = new ViewRelay(vscode.notebooks.createRendererMessaging('sluice-view'), (notebook) =>
    lives.of(notebook),
  );
  own(relay.register());

  const languageServer = vscode.Uri.joinPath(context.extensionUri, 'dist', 'language.cjs').fsPath;
  const showAllProblems = (): void => lives.all.forEach((live) => showProblems(problems, advice, live));
  const language = own(registerLanguageFeatures(languageServer, advice, showAllProblems, topicCompletions));
  own(forgetDeletedCells([problems, advice]));
  own(registerOpenSetting());
  own(registerStatusItems(lives, offers, statusChanged.event));
  own(lives.register());
  own(connections.onDidChange(() => void handOver(connections, lives)));
  own(registerSessions(build, (session, reason) => lives.willEnd(session, reason)));
  own(followRenames(build, () => lives.joinAll()));

  controller.executeHandler = async (cells, notebook) => {
    lives.open(notebook);
    await lives.of(notebook)?.run(cells);
  };
  own(registerCommands(context.extensionUri, (notebook) => lives.of(notebook), offers));
  own(registerExport(context.extensionUri, language));
  vscode.workspace.notebookDocuments.forEach((notebook) => lives.open(notebook));
}

/** What a session that has ended leaves to the user. To go on is best, then to have the choice. */
async function afterEnd(live: LiveNotebook, ended: Ended, offers: ResumeOffers): Promise<void> {
  if (await offers.goOn(live, ended).catch(() => false)) return;
  offers.changed(live);
  if (offers.of(live) === undefined) await offerAfterEnd(live, ended);
}

/** A changed password needs no restart of the sessions. */
async function handOver(connections: Connections, lives: LiveNotebooks): Promise<void> {
  const definitions = await connections.withSecrets();
  for (const { connection } of lives.all)
    void connection?.request('connections', { connections: definitions }).catch(() => undefined);
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

/** Everything that the status bars of all cells say. */
function statusOf(lives: LiveNotebooks, offers: ResumeOffers): string {
  const items = lives.all.flatMap((live) => {
    const known = identities(live.notebook);
    const offer = offers.of(live);
    return [...known.keys()].flatMap((cell) =>
      cellStatusItems(cell, live, offer, known).map(({ text, tooltip }) => [text, tooltip]),
    );
  });
  return JSON.stringify(items);
}

function registerStatusItems(
  lives: LiveNotebooks,
  offers: ResumeOffers,
  changed: vscode.Event<void>,
): vscode.Disposable {
  return vscode.notebooks.registerNotebookCellStatusBarItemProvider(notebookType, {
    onDidChangeCellStatusBarItems: changed,
    provideCellStatusBarItems(cell) {
      const live = lives.of(cell.notebook);
      return cellStatusItems(cell, live, live && offers.of(live));
    },
  });
}
