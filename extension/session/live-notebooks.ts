// The live notebook of each open document, from the opening of the document to its closing.
import * as vscode from 'vscode';
import type { Connection } from '../../kernel/client/connect.ts';
import { notebookType } from '../notebook/cell-metadata.ts';
import { Executions } from './executions.ts';
import { type Connect, type Ended, LiveNotebook } from './live-notebook.ts';
import { selectController } from './select-controller.ts';

interface Listener {
  /** The states of cells have changed. */
  changed(live: LiveNotebook): void;
  /** False: the run does not begin. */
  beforeRun(live: LiveNotebook, connection: Connection): Promise<boolean>;
  attached(live: LiveNotebook, connection: Connection): void;
  ended(live: LiveNotebook, ended: Ended): void;
  /** The live notebook is disposed. */
  closed(live: LiveNotebook): void;
}

export class LiveNotebooks {
  readonly #extension: string;
  readonly #controller: vscode.NotebookController;
  readonly #executions: Executions;
  readonly #connect: Connect;
  readonly #listener: Listener;
  readonly #lives = new Map<vscode.NotebookDocument, LiveNotebook>();
  /** Notebooks for which our controller is selected, open or not. */
  readonly #selected = new WeakSet<vscode.NotebookDocument>();

  /** `extension` is the id of the extension. */
  constructor(extension: string, controller: vscode.NotebookController, connect: Connect, listener: Listener) {
    this.#extension = extension;
    this.#controller = controller;
    this.#executions = new Executions(controller, (cell) => void this.of(cell.notebook)?.interrupt(cell));
    this.#connect = connect;
    this.#listener = listener;
  }

  of(notebook: vscode.NotebookDocument): LiveNotebook | undefined {
    return this.#lives.get(notebook);
  }
  get all(): LiveNotebook[] {
    return [...this.#lives.values()];
  }
  /** This window is about to end the session: then nothing is offered. */
  willEnd(session: string, reason: string): void {
    const live = this.all.find(({ connection }) => connection?.welcome.session === session);
    if (live !== undefined) live.endReason = reason;
  }
  joinAll(): void {
    for (const live of this.all) void live.join();
  }

  /** Follows the documents of the editor. At the end all live notebooks are closed. */
  register(): vscode.Disposable {
    return vscode.Disposable.from(
      this.#controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => this.#select(notebook, selected)),
      vscode.window.onDidChangeVisibleNotebookEditors(() => this.all.forEach((live) => this.#selectController(live))),
      vscode.workspace.onDidOpenNotebookDocument((notebook) => this.open(notebook)),
      vscode.workspace.onDidCloseNotebookDocument((notebook) => this.#close(notebook)),
      vscode.workspace.onDidChangeNotebookDocument((event) => this.of(event.notebook)?.documentChanged(event)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.joinAll()),
      { dispose: () => [...this.#lives.keys()].forEach((notebook) => this.#close(notebook)) },
    );
  }

  /** Does nothing for an open notebook, and for a notebook of another type. */
  open(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== notebookType || this.#lives.has(notebook)) return;
    this.#controller.updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred);
    const live = new LiveNotebook(notebook, this.#connect, this.#executions);
    this.#lives.set(notebook, live);
    live.isSelected = this.#selected.has(notebook);
    live.beforeRun = (connection) => this.#listener.beforeRun(live, connection);
    live.onDidChange(() => this.#listener.changed(live));
    live.onDidAttach((connection) => {
      this.#listener.attached(live, connection);
      this.#selectController(live);
    });
    live.onDidEnd((ended) => this.#listener.ended(live, ended));
    if (vscode.workspace.isTrusted && notebook.uri.scheme === 'file') void live.join();
  }
  #close(notebook: vscode.NotebookDocument): void {
    const live = this.of(notebook);
    if (live === undefined) return;
    this.#lives.delete(notebook);
    live.dispose();
    this.#listener.closed(live);
  }

  #select(notebook: vscode.NotebookDocument, isSelected: boolean): void {
    if (isSelected) this.#selected.add(notebook);
    else this.#selected.delete(notebook);
    const live = this.of(notebook);
    if (live !== undefined) live.isSelected = isSelected;
  }
  #selectController(live: LiveNotebook): void {
    selectController(live, this.#controller, this.#extension);
  }
}
