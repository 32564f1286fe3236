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
import {
  protocolVersion,
  type CellState,
  type CellText,
  type Requests,
  type RunResult,
  type SessionView,
} from '../../kernel/protocol/messages.ts';
import { cellById, identities, kindOf } from '../notebook/cell-ids.ts';
import { endReason } from './end-reason.ts';
import { endOrKill } from './end-or-kill.ts';
import type { Executions } from './executions.ts';
import type { Connection } from '../../kernel/client/connect.ts';
import type { LastCall } from '../../kernel/protocol/last-call.ts';
import type { CellIdentity } from '../../kernel/protocol/cell-identity.ts';

/**
 * Connects to the notebook's session. With `start: false` it returns undefined if there is none.
 */
export type Connect = (notebook: string, options: { readonly start: boolean }) => Promise<Connection | undefined>;

const typingPauseMillis = 150;

/** The session of a notebook has ended. */
export interface Ended {
  readonly session: string;
  /** A sentence. */
  readonly reason: string;
  /** This window has ended it. */
  readonly isAskedFor: boolean;
  /** The kernel ended in this call of user code, without a word. */
  readonly lastCall: LastCall | undefined;
}

export class LiveNotebook {
  readonly notebook: vscode.NotebookDocument;
  readonly #connect: Connect;
  readonly #executions: Executions;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #attached = new vscode.EventEmitter<Connection>();
  readonly #ended = new vscode.EventEmitter<Ended>();
  #connection: Connection | undefined;
  #connecting: Promise<Connection | undefined> | undefined;
  #session: SessionView | undefined;
  #states: ReadonlyMap<string, CellState> = new Map();
  #events: Promise<void> = Promise.resolve();
  #typing: NodeJS.Timeout | undefined;
  #sentIds: ReadonlySet<string> = new Set();
  #endedBecause: string | undefined;
  #isSelected = false;
  #isRestarting = false;
  /** Why this window ends the session; undefined: it does not. */
  endReason: string | undefined;
  /** False: the run does not begin. */
  beforeRun: (connection: Connection) => Promise<boolean> = () => Promise.resolve(true);

  /** The states of cells have changed. */
  readonly onDidChange: vscode.Event<void> = this.#changed.event;
  readonly onDidAttach: vscode.Event<Connection> = this.#attached.event;
  readonly onDidEnd: vscode.Event<Ended> = this.#ended.event;

  constructor(notebook: vscode.NotebookDocument, connect: Connect, executions: Executions) {
    this.notebook = notebook;
    this.#connect = connect;
    this.#executions = executions;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }
  /** The last state of the session. undefined: there is no connection. */
  get session(): SessionView | undefined {
    return this.#session;
  }
  get isRestarting(): boolean {
    return this.#isRestarting;
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

  async runAll(): Promise<void> {
    await this.run(this.notebook.getCells().filter(({ kind }) => kind === vscode.NotebookCellKind.Code));
  }
  async run(cells: readonly vscode.NotebookCell[]): Promise<void> {
    const known = identities(this.notebook);
    const { runnable, wrong } = runnableOf(cells, known);
    await Promise.all(runnable.map((cell) => this.#executions.queue(cell)));
    this.#changed.fire();
    try {
      if (runnable.length > 0 && !(await this.#runAll(runnable, known))) return;
    } catch (error) {
      this.#failAll(runnable, messageOf(error));
      return this.#changed.fire();
    }
    if (wrong === undefined) return;
    await this.#executions.queue(wrong);
    this.#executions.end(wrong, false, whyNotRunnable(known.get(wrong)!));
  }

  /** Returns true if all cells succeeded. */
  async #runAll(
    cells: readonly vscode.NotebookCell[],
    known: ReadonlyMap<vscode.NotebookCell, { readonly id: string }>,
  ): Promise<boolean> {
    const connection = await this.#connected(true);
    if (connection === undefined) throw new Error('The session could not be started.');
    await this.#sync(connection);
    if (!(await this.beforeRun(connection))) {
      for (const cell of cells) this.#executions.cancel(cell);
      return false;
    }
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

  /** Ends the kernel and starts a new one: from the savepoint, else with nothing. */
  async restart(savepoint?: string): Promise<Requests['fromSavepoint']['result'] | undefined> {
    return await this.#restarting(async () => {
      await this.#end('The session was restarted.', savepoint === undefined);
      if (savepoint === undefined) return void (await this.choose('fresh'));
      return await (await this.#connected(true))?.request('fromSavepoint', { savepoint });
    });
  }
  /**
   * The kernel has ended in a call of user code. Another one goes on from the last checkpoint,
   * without the cell of that call. False: there was no checkpoint.
   */
  async goOn(lastCall: LastCall): Promise<boolean> {
    return await this.#restarting(() => this.choose('resume', lastCall));
  }
  async #restarting<T>(start: () => Promise<T>): Promise<T> {
    this.#isRestarting = true;
    try {
      return await start();
    } finally {
      this.#isRestarting = false;
      this.#changed.fire();
    }
  }

  /** Ends the kernel, for all clients. The outputs stay, shown as old. The checkpoint stays. */
  async shutDown(): Promise<void> {
    await this.#end('The session was shut down.', false);
  }
  async #end(reason: string, discard: boolean): Promise<void> {
    const ends = (): string => (this.endReason = reason);
    await endOrKill(() => this.#connected(false), ends, discard);
    await this.#events;
  }

  /** Joins or starts the session. False: it offers no checkpoint, so there is nothing to choose. */
  async choose(choice: 'resume' | 'fresh', lastCall?: LastCall): Promise<boolean> {
    const connection = await this.#connected(true);
    if (connection === undefined || this.#session?.offered === undefined) return false;
    await connection.request('choose', { choice, ...(lastCall && { lastCall }) });
    return true;
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
    this.#ended.dispose();
  }

  #syncSoon(): void {
    this.#typing = setTimeout(() => {
      if (this.#connection !== undefined) void this.#sync(this.#connection).catch(() => undefined);
    }, typingPauseMillis);
  }

  async #sync(connection: Connection): Promise<void> {
    clearTimeout(this.#typing);
    const cells = textsOf(this.notebook);
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
    this.endReason = undefined;
    this.#endedBecause = undefined;
    connection.on('state', (state) => void this.#enqueue(() => this.#setSession(state)));
    connection.on('run', ({ cell, event, result }) => void this.#enqueue(() => this.#ran(cell, event, result)));
    void connection.ended.then((reason) => this.#enqueue(() => this.#detached(connection, reason)));
    this.#sentIds = new Set();
    await this.#sync(connection);
    await this.#enqueue(() => this.#setSession(connection.welcome.state));
    this.#attached.fire(connection);
    return connection;
  }

  #setSession(session: SessionView): void {
    this.#session = session;
    this.#states = new Map(session.cells.map((state) => [state.id, state]));
    this.#changed.fire();
    this.#showViews();
  }

  #showViews(): void {
    if (!this.#isSelected || this.#connection === undefined) return;
    for (const [cell, { id, problem }] of identities(this.notebook)) {
      const state = problem === undefined ? this.#states.get(id) : undefined;
      if (state?.hasView) void this.#executions.attach(cell, itemOf(this.#connection, id));
      if (state?.phase === 'failed') void this.#executions.fail(cell);
    }
  }

  async #ran(id: string, event: 'start' | 'end', result: RunResult | undefined): Promise<void> {
    const cell = cellById(this.notebook, id);
    // Another client's run can arrive before this notebook's controller is selected. Then no
    // execution can be created.
    if (cell === undefined || this.#connection === undefined || !this.#isSelected) return;
    if (event === 'start') await this.#executions.begin(cell, itemOf(this.#connection, id));
    else this.#executions.end(cell, result?.ok, unseen(cell, result));
  }

  #detached(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#session = undefined;
    this.#states = new Map();
    this.#sentIds = new Set();
    const because = this.endReason === undefined ? reason : endReason(this.endReason, reason);
    this.#endedBecause = because;
    const executing = this.#executions.cells.filter((cell) => cell.notebook === this.notebook);
    // The listeners of `ended` come first: the session may go on, and then nothing is offered.
    this.#failAll(executing, `${because} Run the cell again to start a new session.`);
    if (this.notebook.isClosed) return;
    const [isAskedFor, lastCall] = [this.endReason !== undefined, connection.lastCall()];
    this.#ended.fire({ session: connection.welcome.session, reason: because, isAskedFor, lastCall });
    this.#changed.fire();
  }

  #failAll(cells: readonly vscode.NotebookCell[], message: string): void {
    for (const cell of cells) this.#executions.end(cell, false, message);
  }

  #enqueue(handle: () => void | Promise<void>): Promise<void> {
    this.#events = this.#events.then(handle).catch((error: unknown) => console.error(error));
    return this.#events;
  }
}

function textsOf(notebook: vscode.NotebookDocument): CellText[] {
  return [...identities(notebook)].map(([cell, { id }]) => ({
    id,
    kind: kindOf(cell),
    text: cell.document.getText().replace(/\r\n?/g, '\n'),
  }));
}

/** The cells before the first one that cannot run. Run All does not run test cells. */
function runnableOf(
  cells: readonly vscode.NotebookCell[],
  known: ReadonlyMap<vscode.NotebookCell, CellIdentity>,
): { readonly runnable: readonly vscode.NotebookCell[]; readonly wrong: vscode.NotebookCell | undefined } {
  const wanted = cells.length === 1 ? cells : cells.filter((cell) => kindOf(cell) !== 'test');
  const firstWrong = wanted.findIndex((cell) => known.get(cell)?.problem !== undefined);
  return { runnable: firstWrong === -1 ? wanted : wanted.slice(0, firstWrong), wrong: wanted[firstWrong] };
}
function whyNotRunnable({ id, problem }: CellIdentity): string {
  const rename = "Click the id in the cell's status bar to rename it.";
  return problem === 'invalid'
    ? `"${id}" is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _. ${rename}`
    : `A cell above has the id "${id}" too, so this cell does not run. ${rename}`;
}

function itemOf(connection: Connection, cell: string): { protocol: number; session: string; cell: string } {
  return { protocol: protocolVersion, session: connection.welcome.session, cell };
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
