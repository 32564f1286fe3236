// The side bar with its connections, and its commands. In a folder that is not trusted it is empty
// and starts nothing.
import * as vscode from 'vscode';
import type { MoreCompletions } from '../language/completions.ts';
import { notificationText } from '../session/plain-label.ts';
import { brokersOf } from './connection-settings.ts';
import { editConnection, removeConnection } from './edit-connection.ts';
import { BrowseProcess } from './browse-process.ts';
import { ConnectionTree } from './connection-tree.ts';
import type { Connections } from './connections.ts';
import { followActiveNotebook, openAsCell } from './open-as-cell.ts';
import { PeekPanels } from './peek-panels.ts';
import { SchemaDocuments } from './schema-documents.ts';
import { ConnectionTests } from './test-connection.ts';
import { TopicNames } from './topic-names.ts';
import { topicAtCursor, topicCompletions, typeTopic } from './type-topic.ts';
import type { TreeModel } from './tree-model.ts';
import type { TreeNode } from './tree-nodes.ts';

/** A context key: the items of menus depend on it. */
const internalKey = 'sluice.showsInternalTopics';

interface Parts {
  readonly browse: BrowseProcess;
  readonly connections: Connections;
  readonly model: TreeModel;
  readonly peeks: PeekPanels;
  readonly schemas: SchemaDocuments;
  readonly tests: ConnectionTests;
}

export interface Browser extends vscode.Disposable {
  /** Names of topics, for cells. */
  readonly topicCompletions: MoreCompletions;
}

export function registerBrowser(extension: vscode.Uri, connections: Connections): Browser {
  const kernel = vscode.Uri.joinPath(extension, 'dist', 'kernel.cjs').fsPath;
  const browse = new BrowseProcess(kernel, () => connections.withSecrets());
  // Before the tree, which asks anew: the service must know the new connections by then.
  const handOver = connections.onDidChange(() => browse.connectionsChanged());
  const tree = new ConnectionTree(connections, (method, params) => browse.ask(method, params));
  const peeks = new PeekPanels(extension, browse);
  const tests = new ConnectionTests(browse);
  const schemas = new SchemaDocuments(browse);
  const parts: Parts = { browse, connections, model: tree.model, peeks, schemas, tests };
  const topicNames = new TopicNames(async (connection) => {
    const { topics } = await browse.ask('topics', { connection, internal: false });
    return topics.map(({ topic }) => topic);
  });
  const registered = vscode.Disposable.from(
    browse,
    peeks,
    tests,
    followActiveNotebook(),
    tree.register(),
    schemas.register(),
    handOver,
    connections.onDidChange(() => topicNames.clear()),
    ...connectionCommands(parts),
    ...topicCommands(parts),
    command('copyName', async (node) => {
      const name = isNode(node) ? nameOf(node) : undefined;
      if (name !== undefined) await vscode.env.clipboard.writeText(name);
    }),
    command('openSchema', async (node) => {
      if (isNode(node) && node.kind === 'subject') await schemas.open(node.connection, node.subject);
    }),
  );
  return {
    dispose: () => void registered.dispose(),
    topicCompletions: topicCompletions(topicNames, connections),
  };
}

function connectionCommands({ connections, model, tests }: Parts): readonly vscode.Disposable[] {
  /** The item's connection, else the one that the user chooses. */
  const forConnection = (id: string, act: (name: string) => unknown): vscode.Disposable =>
    command(id, async (node) => {
      const name = await chosenConnection(connections, node);
      if (name !== undefined) await act(name);
    });
  return [
    command('addConnection', () => editConnection(connections, undefined, tests)),
    forConnection('editConnection', (name) => editConnection(connections, name, tests)),
    forConnection('removeConnection', (name) => removeConnection(connections, name)),
    forConnection('testConnection', (name) => Promise.all([tests.test(name), model.retry(name)])),
    forConnection('filterTopics', async (name) => {
      const prompt = 'Show topics whose names contain this text. Empty: all.';
      const filter = await vscode.window.showInputBox({ prompt, value: model.filterOf(name) });
      if (filter !== undefined) model.setFilter(name, filter);
    }),
    command('refreshConnections', async () => {
      model.probe();
      await model.refresh();
    }),
  ];
}

function topicCommands({ browse, connections, model, peeks }: Parts): readonly vscode.Disposable[] {
  const withTopic = async (
    node: unknown,
    act: (connection: string, topic: string, partitions: number) => unknown,
  ): Promise<void> => {
    if (isNode(node) && node.kind === 'topic') {
      await act(node.connection, node.topic.topic, node.topic.partitions);
      return;
    }
    const connection = await chosenConnection(connections, node);
    if (connection === undefined) return;
    const { topics } = await browse.ask('topics', { connection, internal: model.showsInternal });
    const items = topics.map(({ topic, partitions }) => ({ label: topic, partitions }));
    const chosen = await vscode.window.showQuickPick(items, { title: `Topic of ${connection}` });
    if (chosen) await act(connection, chosen.label, chosen.partitions);
  };
  const showInternal = (show: boolean): void => {
    void vscode.commands.executeCommand('setContext', internalKey, show);
    model.showInternal(show);
  };
  return [
    command('peekTopic', (node) => withTopic(node, (...topic) => peeks.open(...topic))),
    command('openTopicAsCell', (node) => withTopic(node, openAsCell)),
    command('typeTopic', async (node) => {
      const here = isNode(node) ? undefined : topicAtCursor();
      if (here) await typeTopic(browse, here.connection, here.topic);
      else await withTopic(node, (connection, topic) => typeTopic(browse, connection, topic));
    }),
    command('showAllTopics', (node) => {
      if (isNode(node)) model.showAll(node.connection);
    }),
    command('showInternalTopics', () => showInternal(true)),
    command('hideInternalTopics', () => showInternal(false)),
  ];
}

async function chosenConnection(connections: Connections, node: unknown): Promise<string | undefined> {
  if (isNode(node)) return node.connection;
  const all = Object.entries(connections.all());
  if (all.length === 0) await vscode.commands.executeCommand('sluice.addConnection');
  if (all.length < 2) return all[0]?.[0];
  const items = all.map(([label, definition]) => ({ label, description: brokersOf(definition) }));
  return (await vscode.window.showQuickPick(items, { title: 'Connection' }))?.label;
}

function nameOf(node: TreeNode): string | undefined {
  switch (node.kind) {
    case 'connection':
      return node.connection;
    case 'topic':
      return node.topic.topic;
    case 'group':
      return node.group.group;
    case 'subject':
      return node.subject;
    default:
      return undefined;
  }
}
function isNode(argument: unknown): argument is TreeNode {
  return typeof argument === 'object' && argument !== null && 'kind' in argument && 'connection' in argument;
}

/** A failure becomes a message that the user sees. */
function command(id: string, run: (argument: unknown) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(`sluice.${id}`, async (argument: unknown) => {
    try {
      await run(argument);
    } catch (error) {
      void vscode.window.showErrorMessage(notificationText((error as Error).message));
    }
  });
}
