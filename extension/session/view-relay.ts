// Connects views in webviews with kernels. Each webview requests its visible views and gets the
// messages of its kernel.
//
// The kernel keeps one cursor per connection and view. While one editor shows a view, the cursor
// belongs to that editor. When a second editor (a split) requests the view, the relay requests a
// snapshot and both editors get it. Snapshots and deltas are idempotent, so the first editor loses
// nothing.
import * as vscode from 'vscode';
import type { ViewDelta, ViewSnapshot } from '../../kernel/protocol/displays.ts';
import { cellById } from '../notebook/cell-ids.ts';
import type { FromHost, ToHost } from '../renderer/host-messages.ts';
import type { LiveNotebook } from './live-notebook.ts';
import type { Connection } from '../../kernel/client/connect.ts';
import { saveRows } from './save-rows.ts';

/** An editor that shows a view. It gets no deltas before its snapshot. */
interface Viewer {
  waitsForSnapshot: boolean;
}

export class ViewRelay {
  readonly #messaging: vscode.NotebookRendererMessaging;
  readonly #liveOf: (notebook: vscode.NotebookDocument) => LiveNotebook | undefined;
  readonly #viewers = new Map<LiveNotebook, Map<string, Map<vscode.NotebookEditor, Viewer>>>();
  #visible: ReadonlySet<vscode.NotebookEditor>;

  constructor(
    messaging: vscode.NotebookRendererMessaging,
    liveOf: (notebook: vscode.NotebookDocument) => LiveNotebook | undefined,
  ) {
    this.#messaging = messaging;
    this.#liveOf = liveOf;
    this.#visible = new Set(vscode.window.visibleNotebookEditors);
  }

  register(): vscode.Disposable {
    return vscode.Disposable.from(
      this.#messaging.onDidReceiveMessage(({ editor, message }) => this.#received(editor, message as ToHost)),
      vscode.window.onDidChangeVisibleNotebookEditors((editors) => this.#visibilityChanged(new Set(editors))),
    );
  }

  /** The notebook has a connection, or another one. All visible views request their state again. */
  attached(live: LiveNotebook, connection: Connection): void {
    this.#viewers.delete(live);
    connection.on('view', (message) => this.#forward(live, message));
    for (const editor of this.#visible) if (editor.notebook === live.notebook) this.#post(editor, { type: 'again' });
  }

  /** The views of this session are old. */
  ended(live: LiveNotebook, session: string): void {
    for (const editor of this.#visible)
      if (editor.notebook === live.notebook) this.#post(editor, { type: 'ended', session });
  }

  forget(live: LiveNotebook): void {
    this.#viewers.delete(live);
  }

  #received(editor: vscode.NotebookEditor, message: ToHost): void {
    const live = this.#liveOf(editor.notebook);
    const connection = live?.connection;
    if (live === undefined || connection === undefined || connection.welcome.session !== message.session) {
      // The output belongs to a session that has ended.
      if (message.type === 'show') this.#post(editor, { type: 'ended', session: message.session });
      return;
    }
    switch (message.type) {
      case 'show':
        return this.#show(live, connection, editor, message);
      case 'hide':
        return this.#hide(live, editor, message.view);
      case 'rows':
        return void saveRows(live, connection, message.view, message.part);
      case 'open':
        return void openLocation(live, message);
    }
  }

  #show(
    live: LiveNotebook,
    connection: Connection,
    editor: vscode.NotebookEditor,
    { view, epoch, lastSeq }: Extract<ToHost, { type: 'show' }>,
  ): void {
    const views = this.#viewers.get(live) ?? new Map<string, Map<vscode.NotebookEditor, Viewer>>();
    this.#viewers.set(live, views);
    const viewers = views.get(view) ?? new Map<vscode.NotebookEditor, Viewer>();
    views.set(view, viewers);
    const isAlone = viewers.size === 0 || (viewers.size === 1 && viewers.has(editor));
    viewers.set(editor, { waitsForSnapshot: !isAlone });
    void connection
      .request('show', isAlone && epoch !== undefined ? { view, epoch, lastSeq } : { view })
      .catch(() => undefined);
  }

  #hide(live: LiveNotebook, editor: vscode.NotebookEditor, view: string): void {
    const viewers = this.#viewers.get(live)?.get(view);
    if (viewers === undefined || !viewers.delete(editor) || viewers.size > 0) return;
    this.#viewers.get(live)?.delete(view);
    void live.connection?.request('hide', { view }).catch(() => undefined);
  }

  #forward(live: LiveNotebook, message: ViewSnapshot | ViewDelta): void {
    const viewers = this.#viewers.get(live)?.get(message.view);
    for (const [editor, viewer] of viewers ?? []) {
      if (message.type === 'snapshot') viewer.waitsForSnapshot = false;
      if (!viewer.waitsForSnapshot) this.#post(editor, { type: 'view', message });
    }
  }

  #visibilityChanged(visible: ReadonlySet<vscode.NotebookEditor>): void {
    const before = this.#visible;
    this.#visible = visible;
    for (const editor of before) {
      if (visible.has(editor)) continue;
      this.#post(editor, { type: 'visible', visible: false });
      for (const [live, views] of this.#viewers) for (const view of [...views.keys()]) this.#hide(live, editor, view);
    }
    for (const editor of visible) if (!before.has(editor)) this.#post(editor, { type: 'visible', visible: true });
  }

  #post(editor: vscode.NotebookEditor, message: FromHost): void {
    void this.#messaging.postMessage(message, editor).then(undefined, () => undefined);
  }
}

async function openLocation(
  live: LiveNotebook,
  { cell, file, line, column }: Extract<ToHost, { type: 'open' }>,
): Promise<void> {
  const at = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
  const target = cell === undefined ? undefined : cellById(live.notebook, cell);
  const document = target?.document ?? (file === undefined ? undefined : await vscode.workspace.openTextDocument(file));
  if (document !== undefined) await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
}
