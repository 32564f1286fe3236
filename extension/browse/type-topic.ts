// "Type This Topic": writes the type of a topic's rows to .sluice/topics.d.ts beside the notebook,
// so that its fields complete in cells. And the completion of topic names inside kafka('.
import * as vscode from 'vscode';
import type { MoreCompletions } from '../language/completions.ts';
import { cellLanguage } from '../notebook/cell-metadata.ts';
import { notificationText } from '../session/plain-label.ts';
import { isThere } from '../commands/new-notebook.ts';
import { targetNotebook } from '../commands/target.ts';
import type { BrowseProcess } from './browse-process.ts';
import { defaultName } from './connection-settings.ts';
import type { Connections } from './connections.ts';
import { topicCallAt, topicCallNear } from './topic-call.ts';
import type { TopicNames } from './topic-names.ts';

const fileName = 'topics.d.ts';

/** Asks for a place only if no folder and no notebook is open. */
export async function typeTopic(browse: BrowseProcess, connection: string, topic: string): Promise<void> {
  const file = await topicsFile();
  if (file === undefined) return;
  const title = notificationText(`Typing topic ${topic}`);
  const options = { location: vscode.ProgressLocation.Window, title };
  const { about, hasChanged } = await vscode.window.withProgress(options, () =>
    browse.ask('typeTopic', { connection, topic, file: file.fsPath }),
  );
  const place = vscode.workspace.asRelativePath(file);
  const done = hasChanged ? `Wrote the type of ${topic} to ${place}` : `The type of ${topic} in ${place} is up to date`;
  const open = 'Open';
  // Without waiting: the message may stay for long.
  void vscode.window.showInformationMessage(notificationText(`${done}: ${about}.`), open).then(async (chosen) => {
    if (chosen === open) await vscode.window.showTextDocument(file);
  });
}

/** The topic that the cursor is at, in a cell; undefined: the user has to choose. */
export function topicAtCursor(): { readonly connection: string; readonly topic: string } | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== cellLanguage) return undefined;
  const { document, selection } = editor;
  const from = document.offsetAt(document.lineAt(selection.start.line).range.start);
  const to = document.offsetAt(document.lineAt(selection.end.line).range.end);
  const call = topicCallNear(document.getText(), from, to);
  return call && { connection: call.connection ?? defaultName, topic: call.topic };
}

/**
 * In the nearest folder above the notebook that has one already, else in the folder of the
 * workspace.
 */
async function topicsFile(): Promise<vscode.Uri | undefined> {
  const notebook = targetNotebook(undefined)?.uri;
  const own = notebook && vscode.workspace.getWorkspaceFolder(notebook)?.uri;
  const root = own ?? (notebook ? vscode.Uri.joinPath(notebook, '..') : vscode.workspace.workspaceFolders?.[0]?.uri);
  if (root === undefined) {
    const options = { title: 'Select the folder of the notebooks', canSelectFolders: true, canSelectFiles: false };
    const chosen = (await vscode.window.showOpenDialog(options))?.[0];
    return chosen && vscode.Uri.joinPath(chosen, '.sluice', fileName);
  }
  const fileIn = (folder: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(folder, '.sluice', fileName);
  if (notebook === undefined) return fileIn(root);
  for (let folder = vscode.Uri.joinPath(notebook, '..'); folder.path.length > root.path.length;) {
    if (await isThere(fileIn(folder))) return fileIn(folder);
    folder = vscode.Uri.joinPath(folder, '..');
  }
  return fileIn(root);
}

/** Names of topics inside kafka(' and table('. */
export function topicCompletions(names: TopicNames, connections: Connections): MoreCompletions {
  return async (document, position) => {
    const call = topicCallAt(document.getText(), document.offsetAt(position));
    const connection = call?.connection ?? defaultName;
    if (!call || !Object.hasOwn(connections.all(), connection)) return undefined;
    const topics = await names.of(connection);
    const range = new vscode.Range(document.positionAt(call.start), document.positionAt(call.end));
    const description = connection === defaultName ? 'topic' : `topic of ${connection}`;
    const items = (topics ?? []).map((label) => {
      const item = new vscode.CompletionItem({ label, description }, vscode.CompletionItemKind.Value);
      item.range = range;
      return item;
    });
    return new vscode.CompletionList(items, topics === undefined);
  };
}
