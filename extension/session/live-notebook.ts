// One open notebook and its session. The user's actions go to the kernel, and the kernel's
// notifications go to cells.
//
//   detached ─run, or a session exists when the notebook opens─► connecting ─► attached
//      ▲                                                            │             │
//      └─────────── the kernel ended, crashed, cannot start ────────┴─────────────┘
//
// Notifications are handled one after the other, so that even a short run begins before it ends.
// When the connection ends, every execution ends with the reason. So no cell stays pending, and the
// next run connects again.
import * as vscode from 'vscode';
import { protocolVersion, type CellState, type CellText, type RunResult } from '../../kernel/protocol/messages.ts';
import { cellById, identities, kindOf } from '../notebook/cell-ids.ts';
import type { Executions } from './executions.ts';
import type { Connection } from '../../kernel/client/connect.ts';
import { SilentKernel } from '../../kernel/client/end-session.ts';

/**
 * Connects to the notebook's session. With `start: false` it returns undefined if there is none.
 */
export type Connect = (notebook: string, options: { readonly start: boolean }) => Promise<Connection | undefined>;

const typingPauseMillis = 150;

export class LiveNotebook {
  readonly notebook: vscode.NotebookDocument;
  readonly #connect: Connect;
  readonly #executions: Executions;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #attached = new vscode.EventEmitter<Connection>();
  #connection: Connection | undefined;
  #connecting: Promise<Connection | undefined> | undefined;
  #states: ReadonlyMap<string, CellState> = new Map();
  #events: Promise<void> = Promise.resolve();
  #typing: NodeJS.Timeout | undefined;
  #sentIds: ReadonlySet<string> = new Set();
  #restartReason: string | undefined;
  #endedBecause: string | undefined;
  #isSelected = false;

  /** The states of cells have changed. */
  readonly onDidChange: vscode.Event<void> = this.#changed.event;
  readonly onDidAttach: vscode.Event<Connection> = this.#attached.event;

  constructor(notebook: vscode.NotebookDocument, connect: Connect, executions: Executions) {
    this.notebook = notebook;
    this.#connect = connect;
    this.#executions = executions;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }
  get isSelected(): boolean {
    return this.#isSelected;
  }
  /** The reason why the last session ended. */
  get endedBecause(): string | undefined {
    return this.#endedBecause;
  }
  get isConnecting(): boolean {
    return this.#connecting !== undefined;
  }
  stateOf(id: string): CellState | undefined {
    return this.#states.get(id);
  }
  get states(): readonly CellState[] {
    return [...this.#states.values()];
  }
  isRunning(cell: vscode.NotebookCell): boolean {
    return this.#executions.isRunning(cell);
  }

  /** Joins an existing session. Starts nothing. */
  async join(): Promise<void> {
    await this.#connected(false).catch(() => undefined);
  }

  /** Joins the session, or starts one. */
  async start(): Promise<void> {
    await this.#connected(true);
  }

  set isSelected(selected: boolean) {
    this.#isSelected = selected;
    if (selected) void this.#enqueue(() => this.#showViews());
  }

  async run(cells: readonly vscode.NotebookCell[]): Promise<void> {
    const known = identities(this.notebook);
    // Run All does not run test cells. `sluice test` will run them.
    const wanted = cells.length === 1 ? cells : cells.filter((cell) => kindOf(cell) !== 'test');
    const firstWrong = wanted.findIndex((cell) => known.get(cell)?.problem !== undefined);
    const wrong = wanted[firstWrong];
    const runnable = firstWrong === -1 ? wanted : wanted.slice(0, firstWrong);
    await Promise.all(runnable.map((cell) => this.#executions.queue(cell)));
    this.#changed.fire();
    try {
      if (runnable.length > 0 && !(await this.#runAll(runnable, known))) return;
    } catch (error) {
      this.#failAll(runnable, messageOf(error));
      return;
    }
    if (wrong === undefined) return;
    await this.#executions.queue(wrong);
    const { id, problem } = known.get(wrong)!;
    this.#executions.end(
      wrong,
      false,
      problem === 'invalid'
        ? `"${id}" is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _. Click the id in the cell's status bar to rename it.`
        : `A cell above has the id "${id}" too, so this cell does not run. Click the id in the cell's status bar to rename it.`,
    );
  }

  /** Returns true if all cells succeeded. */
  async #runAll(
    cells: readonly vscode.NotebookCell[],
    known: ReadonlyMap<vscode.NotebookCell, { readonly id: string }>,
  ): Promise<boolean> {
    const connection = await this.#connected(true);
    if (connection === undefined) throw new Error('The session could not be started.');
    await this.#sync(connection);
    const results = await connection.request('run', { cells: cells.map((cell) => known.get(cell)!.id) });
    await this.#enqueue(() => {
      for (const cell of cells) {
        const result = results.find((other) => other.cell === known.get(cell)!.id);
        this.#executions.end(cell, result?.ok, unseen(cell, result));
      }
    });
    return results.length >= cells.length && results.every((result) => result.ok);
  }

  async interrupt(cell?: vscode.NotebookCell): Promise<void> {
    if (this.#connection === undefined) return;
    const id = cell === undefined ? undefined : identities(this.notebook).get(cell)?.id;
    await this.#connection.request('interrupt', id === undefined ? {} : { cell: id });
  }

  /** Ends the kernel and starts a new one. No cell runs automatically. */
  async restart(): Promise<void> {
    try {
      const connection = this.#connection ?? (await this.#connected(false));
      if (connection !== undefined) {
        this.#restartReason = 'The session was restarted.';
        await connection.end();
        await this.#events;
      }
    } catch (error) {
      // No connection could be made, because the kernel hangs.
      if (!(error instanceof SilentKernel)) throw error;
      await error.kill();
    }
    for (const cell of this.notebook.getCells()) await this.#executions.clear(cell);
    await this.#connected(true);
  }

  async arm(cell: vscode.NotebookCell, armed: boolean): Promise<void> {
    const connection = await this.#connected(true);
    await connection?.request('arm', { cell: identities(this.notebook).get(cell)!.id, armed });
  }

  /**
   * Cells were added, removed or changed. Typing is sent after a pause; structural changes are sent
   * at once.
   */
  documentChanged(event: vscode.NotebookDocumentChangeEvent): void {
    if (this.#connection === undefined) return;
    clearTimeout(this.#typing);
    const structural =
      event.contentChanges.length > 0 || event.cellChanges.some((change) => change.metadata !== undefined);
    if (structural) void this.#sync(this.#connection).catch(() => undefined);
    else if (event.cellChanges.some((change) => change.document !== undefined)) this.#syncSoon();
    if (structural) void this.#enqueue(() => this.#showViews());
  }

  dispose(): void {
    clearTimeout(this.#typing);
    this.#connection?.close();
    this.#changed.dispose();
    this.#attached.dispose();
  }

  #syncSoon(): void {
    this.#typing = setTimeout(() => {
      if (this.#connection !== undefined) void this.#sync(this.#connection).catch(() => undefined);
    }, typingPauseMillis);
  }

  async #sync(connection: Connection): Promise<void> {
    clearTimeout(this.#typing);
    const cells = [...identities(this.notebook)].map(([cell, { id }]): CellText => ({
      id,
      kind: kindOf(cell),
      text: cell.document.getText().replace(/\r\n?/g, '\n'),
    }));
    const ids = new Set(cells.map((cell) => cell.id));
    const gone = [...this.#sentIds].filter((id) => !ids.has(id));
    this.#sentIds = ids;
    // The order matters. After the sync, the kernel would not know a cell that is missing in the
    // document.
    await Promise.all([
      ...gone.map((cell) => connection.request('delete', { cell })),
      connection.request('sync', { cells }),
    ]);
  }

  #connected(start: boolean): Promise<Connection | undefined> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    // A pending join may find no session. A run then starts one.
    const earlier = this.#connecting;
    if (earlier !== undefined)
      return earlier.then((connection) => connection ?? (start ? this.#connected(true) : undefined));
    const connecting = this.#open(start).finally(() => {
      this.#connecting = undefined;
      this.#changed.fire();
    });
    this.#connecting = connecting;
    this.#changed.fire();
    return connecting;
  }

  async #open(start: boolean): Promise<Connection | undefined> {
    const connection = await this.#connect(this.notebook.uri.fsPath, { start });
    if (connection === undefined) return undefined;
    if (this.notebook.isClosed) {
      connection.close();
      return undefined;
    }
    this.#connection = connection;
    this.#restartReason = undefined;
    this.#endedBecause = undefined;
    connection.on('state', (state) => void this.#enqueue(() => this.#setStates(state.cells)));
    connection.on('run', ({ cell, event, result }) => void this.#enqueue(() => this.#ran(cell, event, result)));
    void connection.ended.then((reason) => this.#enqueue(() => this.#detached(connection, reason)));
    this.#sentIds = new Set();
    await this.#sync(connection);
    await this.#enqueue(() => this.#setStates(connection.welcome.state.cells));
    this.#attached.fire(connection);
    return connection;
  }

  #setStates(states: readonly CellState[]): void {
    this.#states = new Map(states.map((state) => [state.id, state]));
    this.#changed.fire();
    this.#showViews();
  }

  #showViews(): void {
    if (!this.#isSelected || this.#connection === undefined) return;
    for (const [cell, { id, problem }] of identities(this.notebook))
      if (problem === undefined && this.#states.get(id)?.hasView)
        void this.#executions.attach(cell, this.#item(this.#connection, id));
  }

  async #ran(id: string, event: 'start' | 'end', result: RunResult | undefined): Promise<void> {
    const cell = cellById(this.notebook, id);
    // Another client's run can arrive before this notebook's controller is selected. Then no
    // execution can be created.
    if (cell === undefined || this.#connection === undefined || !this.#isSelected) return;
    if (event === 'start') await this.#executions.begin(cell, this.#item(this.#connection, id));
    else this.#executions.end(cell, result?.ok, unseen(cell, result));
  }

  #item(connection: Connection, cell: string): { protocol: number; session: string; cell: string } {
    return { protocol: protocolVersion, session: connection.welcome.session, cell };
  }

  #detached(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#states = new Map();
    this.#sentIds = new Set();
    const because = this.#restartReason ?? reason;
    this.#endedBecause = because;
    this.#failAll(
      this.#executions.cells.filter((cell) => cell.notebook === this.notebook),
      `${because} Run the cell again to start a new session.`,
    );
    if (!this.notebook.isClosed) this.#changed.fire();
  }

  #failAll(cells: readonly vscode.NotebookCell[], message: string): void {
    for (const cell of cells) this.#executions.end(cell, false, message);
    this.#changed.fire();
  }

  #enqueue(handle: () => void | Promise<void>): Promise<void> {
    this.#events = this.#events.then(handle).catch((error: unknown) => console.error(error));
    return this.#events;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The error of a cell for which the session has no view: a test cell, or a new cell while the
 * executor is broken.
 */
function unseen(cell: vscode.NotebookCell, result: RunResult | undefined): string | undefined {
  const error = result?.error;
  return cell.metadata['kind'] === 'test' || error?.code === 'executor-broken' ? error?.message : undefined;
}
