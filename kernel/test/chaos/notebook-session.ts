// The notebook of the chaos as a client has it, over all its kernels: a kernel starts, is killed,
// and the next one goes on from the state folder.
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectSession, type Connection } from '../../client/connect.ts';
import { isAlive } from '../../client/registry.ts';
import { logPath } from '../../client/session-folder.ts';
import type { CellText, RunResult, SessionView } from '../../protocol/messages.ts';

export interface NotebookOptions {
  readonly notebook: string;
  readonly kernelPath: string;
  readonly brokers: string;
  /** Gets a sentence about what happens in the session that nobody here has caused. */
  readonly onNews: (text: string) => void;
  /** The thread of the cells has ended, and the session restarts it. */
  readonly onExecutorEnd?: () => void;
}

export class NotebookSession {
  readonly #options: NotebookOptions;
  #connection: Connection | undefined;
  #state: SessionView | undefined;
  #isAlive = false;
  #cause: string | undefined;
  /** Of the last restart that this kernel has told. */
  #attempt = 0;
  /** Cells that have reported late records. */
  readonly late = new Set<string>();

  constructor(options: NotebookOptions) {
    this.#options = options;
  }

  get state(): SessionView | undefined {
    return this.#state;
  }
  /** The kernel runs. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** What each cell says of itself, for a message. */
  described(): readonly string[] {
    return (this.#state?.cells ?? []).map(({ id, phase, reason, trouble, sink, errors }) =>
      JSON.stringify({ id, phase, reason, trouble, sink, errors: errors.map(({ message }) => message) }),
    );
  }
  /** Of the present kernel. */
  get pid(): number {
    return this.#connection!.entry.pid;
  }
  /** Complete checkpoints of this kernel. */
  get checkpoints(): number {
    return this.#state?.checkpoints?.completed ?? 0;
  }

  /** Starts a kernel. `failpoint`: it kills itself there. */
  async start(failpoint?: string): Promise<void> {
    const { notebook, brokers, kernelPath } = this.#options;
    const env = { SLUICE_BROKERS: brokers, SLUICE_FAILPOINT: failpoint ?? '' };
    const connection = await connectSession({ notebook, kernelPath, client: 'cli', build: 'chaos', env });
    if (!connection.started) throw new Error('A kernel of the notebook still runs.');
    this.#connection = connection;
    this.#isAlive = true;
    this.#attempt = 0;
    this.#see(connection.welcome.state);
    connection.on('state', (state) => this.#see(state));
    void connection.ended.then(() => {
      if (this.#connection === connection) this.#isAlive = false;
    });
  }

  /** The kernel has found a checkpoint and goes on from it. */
  async resume(cells: readonly CellText[]): Promise<void> {
    const { state } = this.#connection!.welcome;
    if (!state.offered) throw new Error('The kernel offers no checkpoint.');
    for (const why of state.offered.skipped) this.#options.onNews(`left out: ${why}`);
    await this.#connection!.request('choose', { choice: 'resume' });
    await this.#connection!.request('sync', { cells });
  }

  async run(cells: readonly CellText[], ids: readonly string[]): Promise<readonly RunResult[]> {
    await this.#connection!.request('sync', { cells });
    return await this.#connection!.request('run', { cells: ids });
  }
  async sync(cells: readonly CellText[]): Promise<void> {
    await this.#connection!.request('sync', { cells });
  }
  async arm(ids: readonly string[], armed = true): Promise<void> {
    for (const cell of ids) await this.#connection!.request('arm', { cell, armed });
  }

  /** SIGKILL, as a power cut for this process. Resolves when it is gone. */
  async kill(): Promise<void> {
    process.kill(this.#connection!.entry.pid, 'SIGKILL');
    await this.gone();
  }
  killExecutor(): void {
    if (this.#isAlive) process.kill(this.#connection!.entry.pid, 'SIGUSR2');
  }
  /** Resolves when the process is gone. */
  async gone(): Promise<void> {
    const { pid } = this.#connection!.entry;
    await this.#connection!.ended;
    while (isAlive(pid)) await sleep(10);
    this.#isAlive = false;
  }
  /** The end of the kernel's log: why it has ended. */
  lastWords(): string {
    const { session } = this.#connection!.entry;
    const path = logPath(dirname(this.#options.notebook), session);
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-4_000) : `${path} is not there`;
  }
  /** Ends the session, with a last checkpoint. */
  async end(): Promise<void> {
    await this.#connection!.end();
    await this.gone();
  }
  /** Whatever happened: nothing goes on. */
  async close(): Promise<void> {
    if (this.#connection && isAlive(this.#connection.entry.pid)) await this.kill();
    this.#connection?.close();
  }

  #see(state: SessionView): void {
    this.#state = state;
    for (const { id, late = 0, errors } of state.cells) {
      if (late > 0) this.late.add(id);
      for (const { message } of errors) this.#tell(`"${id}" failed: ${message}`);
    }
    if (state.restarting) this.#tell(`a restart: ${state.restarting.cause}`);
    const { attempt = 0, cause = '' } = state.restarting ?? {};
    if (attempt > this.#attempt && cause.startsWith('The thread of the cells has ended'))
      this.#options.onExecutorEnd?.();
    this.#attempt = Math.max(this.#attempt, attempt);
    if (state.checkpoints?.problem !== undefined) this.#tell(`a checkpoint failed: ${state.checkpoints.problem}`);
  }
  #tell(text: string): void {
    if (text !== this.#cause) this.#options.onNews(text);
    this.#cause = text;
  }
}
