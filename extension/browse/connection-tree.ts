// The side bar's tree of connections: the items of the model as items of VS Code, drawn again on
// demand and, while the tree is visible, every few seconds.
import * as vscode from 'vscode';
import { TreeModel, type Ask } from './tree-model.ts';
import { idOf, type TreeNode } from './tree-nodes.ts';
import type { Connections } from './connections.ts';

const viewId = 'sluice.connections';
const refreshMillis = 10_000;

export class ConnectionTree implements vscode.TreeDataProvider<TreeNode> {
  readonly #connections: Connections;
  readonly #changed = new vscode.EventEmitter<TreeNode | undefined>();
  readonly onDidChangeTreeData: vscode.Event<TreeNode | undefined> = this.#changed.event;
  /** VS Code knows an item by the object that it was given. */
  readonly #given = new Map<string, TreeNode>();
  readonly model: TreeModel;

  constructor(connections: Connections, ask: Ask) {
    this.#connections = connections;
    this.model = new TreeModel({
      ask,
      definitions: () => connections.all(),
      onChange: (node) => this.#changed.fire(node && (this.#given.get(idOf(node)) ?? node)),
      now: Date.now,
    });
  }

  register(): vscode.Disposable {
    const view = vscode.window.createTreeView(viewId, { treeDataProvider: this, showCollapseAll: true });
    const probe = (): void => {
      if (view.visible) this.model.probe();
    };
    probe();
    let isRefreshing = false;
    const timer = setInterval(() => {
      if (!view.visible || isRefreshing) return;
      isRefreshing = true;
      void this.model.refresh().finally(() => (isRefreshing = false));
    }, refreshMillis);
    return vscode.Disposable.from(
      view,
      view.onDidExpandElement(({ element }) => this.model.opened(element)),
      view.onDidCollapseElement(({ element }) => this.model.closed(element)),
      view.onDidChangeVisibility(() => probe()),
      this.#connections.onDidChange(() => {
        this.model.forgetAll();
        probe();
      }),
      this.#changed,
      { dispose: () => clearInterval(timer) },
    );
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    const children = await this.model.children(node);
    return children.map((child) => {
      this.#given.set(idOf(child), child);
      return child;
    });
  }
  getTreeItem(node: TreeNode): vscode.TreeItem {
    const { label, description, tooltip, icon, colour, opens } = this.model.line(node);
    const { None, Collapsed } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, opens ? Collapsed : None);
    item.id = idOf(node);
    item.description = description;
    item.tooltip = tooltip;
    item.contextValue = this.#contextOf(node);
    item.accessibilityInformation = { label: `${label} ${description}` };
    if (icon !== undefined)
      item.iconPath = new vscode.ThemeIcon(icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
    if (node.kind === 'subject')
      item.command = { command: 'sluice.openSchema', title: 'Open Schema', arguments: [node] };
    if (node.kind === 'more') item.command = { command: 'sluice.showAllTopics', title: 'Show All', arguments: [node] };
    return item;
  }

  #contextOf(node: TreeNode): string {
    if (node.kind !== 'connection') return node.kind;
    return this.#connections.isOwn(node.connection) ? 'connection own' : 'connection';
  }
}
