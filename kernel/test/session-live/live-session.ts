// A session for tests, driven like a client: real control and a real executor thread, on a notebook
// in a temporary folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ViewStore } from '../../displays/view-store.ts';
import { emptyPlan } from '../../../engine/graph/plan.ts';
import type { LivePlanner } from '../../live/plan-request.ts';
import { planLive } from '../../live/planner.ts';
import type { ExecutorPort } from '../../executor/executor-protocol.ts';
import type { CellText, RunResult } from '../../protocol/messages.ts';
import { notebookCompiler } from '../../server/compiler.ts';
import { Control } from '../../server/control.ts';
import { executorThread } from '../../server/executor-thread.ts';
import type { Observer, RowFrame } from '../../server/observer.ts';
import type { Part, ViewDelta, ViewSnapshot } from '../../protocol/displays.ts';
import { fromWire } from '../../protocol/values.ts';

export interface LiveSessionOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly interruptMillis?: number;
  readonly graceMillis?: number;
  /** Displays get every row and sample none. See `everyRow`. */
  readonly lossless?: boolean;
  /**
   * False: every change creates every operator again. This shows that the tests of reuse can fail.
   */
  readonly reuse?: boolean;
  /** Is called as well as the observer of the session. */
  readonly observer?: Pick<Observer, 'runEnded' | 'rows' | 'warned'>;
}

/** Plans as if nothing ran. */
const planAnew: LivePlanner = (request) => planLive({ ...request, running: emptyPlan });

export class LiveSession implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-live-'));
  readonly control: Control;
  /** Each change of the graph: the cell whose run it was, and where the sources stood. */
  readonly mutations: { readonly cell: string | undefined; readonly positions: Readonly<Record<string, string>> }[] =
    [];
  #cells: CellText[] = [];
  #watchers = 0;
  /** Lossless: every row of a display since it was installed. */
  readonly #every = new Map<string, { installed: number; rows: unknown[]; lowest: number }>();
  #executor: ExecutorPort | undefined;

  constructor({ files = {}, interruptMillis, graceMillis, lossless, reuse = true, observer }: LiveSessionOptions = {}) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    const notebook = join(this.folder, 'test.sluice.ts');
    writeFileSync(notebook, '');
    this.control = new Control({
      settings: {
        arming: 'ask',
        idleMillis: Infinity,
        // Tests end executors as often as they like.
        endsWithoutCause: Infinity,
        ...(interruptMillis && { interruptMillis }),
        ...(graceMillis && { graceMillis }),
        ...(lossless && { lossless }),
      },
      compiler: notebookCompiler(() => notebook),
      ...(!reuse && { planner: planAnew }),
      views: new ViewStore(),
      startExecutor: () => (this.#executor = executorThread(notebook)),
      ended: () => undefined,
      observer: {
        ...observer,
        mutated: ({ positions }, cell) => void this.mutations.push({ cell, positions }),
        ...(lossless && { rows: (frame: RowFrame) => void this.#keep(frame) }),
      },
    });
    this.control.start();
  }

  /** Changes the text in the editor. Starts nothing. */
  edit(id: string, text: string): void {
    const cell: CellText = { id, kind: 'code', text };
    const at = this.#cells.findIndex((one) => one.id === id);
    this.#cells = at < 0 ? [...this.#cells, cell] : this.#cells.with(at, cell);
    this.#sync();
  }
  delete(id: string): void {
    this.#cells = this.#cells.filter((one) => one.id !== id);
    this.#sync();
    this.control.dispatch({ kind: 'delete', cell: id });
  }
  get ids(): readonly string[] {
    return this.#cells.map((cell) => cell.id);
  }
  async run(...ids: string[]): Promise<readonly RunResult[]> {
    return this.control.run(ids);
  }
  /** Runs and insists that it works. */
  async ran(...ids: string[]): Promise<void> {
    for (const result of await this.run(...ids))
      if (!result.ok) throw new Error(`${result.cell}: ${result.error?.code} ${result.error?.message}`);
  }
  parts(id: string): readonly Part[] {
    const watcher = {
      id: `test ${++this.#watchers}`,
      isReady: true,
      send: (message: ViewSnapshot | ViewDelta) => seen.push(message),
    };
    const seen: (ViewSnapshot | ViewDelta)[] = [];
    this.control.views.hello(watcher, { view: id });
    this.control.views.forgetClient(watcher.id);
    const [snapshot] = seen;
    return snapshot?.type === 'snapshot' ? snapshot.parts : [];
  }
  /**
   * Counts the deltas and rows that a client of the cell gets from now on. A frame is a delta with
   * rows.
   */
  watch(id: string): { readonly frames: number; readonly rows: number } {
    const seen = { frames: 0, rows: 0 };
    const send = (message: ViewSnapshot | ViewDelta): void => {
      if (message.type !== 'delta') return;
      const rows = message.changes.reduce((sum, change) => sum + (change.kind === 'rows' ? change.rows.length : 0), 0);
      seen.rows += rows;
      if (rows > 0) seen.frames++;
    };
    this.control.views.hello({ id: `watch ${++this.#watchers}`, isReady: true, send }, { view: id });
    return seen;
  }
  /** Rows of the first table or chart under the cell, oldest first. */
  rows(id: string): unknown[] {
    const part = this.parts(id).find((one) => one.kind === 'table' || one.kind === 'chart');
    return part ? [...part.rows].sort((a, b) => a.n - b.n).map((row) => fromWire(row.value)) : [];
  }
  /**
   * In lossless mode: all rows that the cell's first display has got since its stream began anew.
   */
  everyRow(id: string): readonly unknown[] {
    return this.#every.get(`${id}/0`)?.rows ?? [];
  }
  /**
   * The lowest number of rows to which a crash set the session back. Infinity: no row came twice.
   */
  setBackTo(id: string): number {
    return this.#every.get(`${id}/0`)?.lowest ?? Infinity;
  }
  #keep({ display, installed, rows }: RowFrame): void {
    let kept = this.#every.get(display);
    if (kept?.installed !== installed) this.#every.set(display, (kept = { installed, rows: [], lowest: Infinity }));
    // After a crash the display continues at the count of the last snapshot, so later rows come
    // again.
    for (const row of rows) {
      if (row.n - 1 < kept.rows.length) kept.lowest = Math.min(kept.lowest, row.n - 1);
      kept.rows.length = Math.min(kept.rows.length, row.n - 1);
      kept.rows.push(row.value);
    }
  }
  /**
   * Ends the executor's thread, whatever it is doing, as a crash would; the session has another one
   * when this is done.
   */
  async crash(): Promise<void> {
    await this.executorReady();
    const crashed = this.#executor;
    await crashed?.terminate();
    await this.until(
      () => this.#executor,
      (executor) => executor !== crashed,
      'a new executor',
    );
    await this.executorReady();
  }
  async executorReady(): Promise<void> {
    await this.until(
      () => this.control.session.executor,
      (executor) => executor === 'ready',
      'an executor that is ready',
    );
  }
  /** How many rows have ever reached it. */
  total(id: string): number {
    const part = this.parts(id).find((one) => one.kind === 'table' || one.kind === 'chart');
    return part && 'total' in part ? part.total : 0;
  }
  phase(id: string): string | undefined {
    return this.control.view().cells.find((cell) => cell.id === id)?.phase;
  }
  state(id: string) {
    return this.control.view().cells.find((cell) => cell.id === id);
  }
  operators() {
    return this.control.session.metrics?.operators ?? [];
  }
  /** Polls until the value is accepted. At the limit, the error has the last value. */
  async until<T>(look: () => T, isSo: (seen: T) => boolean, what: string, millis = 120_000): Promise<T> {
    const deadline = Date.now() + millis;
    for (;;) {
      const seen = look();
      if (isSo(seen)) return seen;
      if (Date.now() > deadline)
        throw new Error(
          `${what} did not come about in ${millis} ms; last seen: ${JSON.stringify(seen)?.slice(0, 600)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  /** Waits until every operator of the notebook has ended and its output has been shown. */
  async finished(): Promise<void> {
    await this.#ended();
    // The executor sends figures once a second and frames four times: there is a frame before the
    // next figures.
    const { metrics } = this.control.session;
    await this.until(
      () => this.control.session.metrics === metrics,
      (isSame) => !isSame,
      'the last frame',
    );
    await this.#ended();
  }
  /** Waits until the cell's run evaluates it. */
  async evaluating(id: string): Promise<void> {
    await this.until(
      () => this.control.session.runs.find(({ cell }) => cell === id)?.status,
      (status) => status === 'evaluating',
      `the evaluation of ${id}`,
    );
  }
  /** Waits until the session names the cell as the one whose call does not return. */
  async stuckIn(id: string): Promise<void> {
    await this.until(
      () => this.control.session.stuck?.cell,
      (cell) => cell === id,
      `a call of ${id} that does not return`,
    );
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.control.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ended(): Promise<void> {
    await this.until(
      () => this.operators(),
      (operators) => {
        const { plan, mutation, runs, metrics } = this.control.session;
        const known = new Map(operators.map((one) => [one.id, one]));
        return (
          !mutation &&
          runs.length === 0 &&
          metrics !== undefined &&
          plan.nodes.every((node) => node.kind === 'keyBy' || known.get(node.id)?.finished === true)
        );
      },
      'the end of all operators',
    );
  }
  #sync(): void {
    this.control.dispatch({ kind: 'sync', cells: this.#cells });
  }
}
