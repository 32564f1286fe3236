// VS Code's executions of cells. Only an execution can write an output, and a cell has at most one
// at a time.
//
//   none ─queue─► pending ─begin─► executing ─end─► none     a run of any client
//   none ─attach─► executing ─► none                         writes the output after a reload
//   none ─fail─► executing ─► none                           marks a cell that failed after its run
//
// A cell's output is one item that names session and cell. The renderer requests the content. An
// existing item is not written again, because that would replace the chart.
import * as vscode from 'vscode';
import { viewMime, type ViewItem } from '../../kernel/protocol/displays.ts';

interface Running {
  readonly execution: vscode.NotebookCellExecution;
  begun: boolean;
  /** Writes of this execution, in order. The execution ends after them. */
  writes: Promise<unknown>;
}

export class Executions {
  readonly #controller: vscode.NotebookController;
  readonly #stopped: (cell: vscode.NotebookCell) => void;
  readonly #running = new Map<vscode.NotebookCell, Running>();
  /** The output of each cell, or its output after the pending write. */
  readonly #shown = new WeakMap<vscode.NotebookCell, string>();
  readonly #writing = new Map<vscode.NotebookCell, number>();
  /** Cells whose last execution ended as failed. */
  readonly #failed = new WeakSet<vscode.NotebookCell>();
  /** Ends of executions that still write. */
  readonly #ending = new Map<vscode.NotebookCell, Promise<void>>();

  /** `stopped` is called when the user presses VS Code's stop button of an executing cell. */
  constructor(controller: vscode.NotebookController, stopped: (cell: vscode.NotebookCell) => void) {
    this.#controller = controller;
    this.#stopped = stopped;
  }

  isRunning(cell: vscode.NotebookCell): boolean {
    return this.#running.has(cell);
  }

  get cells(): vscode.NotebookCell[] {
    return [...this.#running.keys()];
  }

  /** Shows the cell as pending. */
  async queue(cell: vscode.NotebookCell): Promise<void> {
    await this.#ending.get(cell);
    if (!this.#running.has(cell) && cell.index >= 0) this.#create(cell);
  }

  async begin(cell: vscode.NotebookCell, item: ViewItem): Promise<void> {
    await this.queue(cell);
    const running = this.#running.get(cell);
    if (running === undefined || running.begun) return;
    this.#start(running, Date.now());
    this.#write(running, item);
  }

  /** `problem` is written instead of the view if no kernel can show the problem. */
  end(cell: vscode.NotebookCell, ok: boolean | undefined, problem?: string): void {
    const running = this.#running.get(cell);
    if (running === undefined) return;
    this.#running.delete(cell);
    if (problem !== undefined) {
      if (!running.begun) this.#start(running, Date.now());
      this.#shown.delete(cell);
      const output = new vscode.NotebookCellOutput([
        vscode.NotebookCellOutputItem.error({ name: '', message: problem, stack: problem }),
      ]);
      this.#append(running, () => running.execution.replaceOutput(output));
    }
    this.#finish(cell, running, ok);
  }

  /** The run does not take place. An execution begins before it ends, as in `clear`. */
  cancel(cell: vscode.NotebookCell): void {
    const running = this.#running.get(cell);
    if (running === undefined) return;
    if (!running.begun) this.#start(running, undefined);
    this.end(cell, undefined);
  }

  /** Writes the item of a cell that has a view, unless the output already contains it. */
  async attach(cell: vscode.NotebookCell, item: ViewItem): Promise<void> {
    await this.#ending.get(cell);
    const running = this.#running.get(cell);
    if (running !== undefined) {
      if (running.begun) this.#write(running, item);
      return;
    }
    if (cell.index < 0 || this.#isShown(cell, item)) return;
    this.#once(cell, (running) => this.#write(running, item));
  }

  /**
   * Marks a cell whose operators failed after its run. The execution writes nothing, so the output
   * stays.
   */
  async fail(cell: vscode.NotebookCell): Promise<void> {
    await this.#ending.get(cell);
    if (this.#running.has(cell) || cell.index < 0 || this.#failed.has(cell)) return;
    this.#once(cell, () => undefined, false);
  }

  #once(cell: vscode.NotebookCell, write: (running: Running) => void, ok?: boolean): void {
    const running = this.#create(cell);
    this.#running.delete(cell);
    this.#start(running, undefined);
    write(running);
    this.#finish(cell, running, ok);
  }

  #create(cell: vscode.NotebookCell): Running {
    const execution = this.#controller.createNotebookCellExecution(cell);
    execution.token.onCancellationRequested(() => this.#stopped(cell));
    const running: Running = { execution, begun: false, writes: Promise.resolve() };
    this.#running.set(cell, running);
    return running;
  }

  #start(running: Running, at: number | undefined): void {
    running.begun = true;
    running.execution.start(at);
  }

  #write(running: Running, item: ViewItem): void {
    const { cell } = running.execution;
    if (this.#isShown(cell, item)) return;
    this.#shown.set(cell, key(item));
    this.#append(running, () => running.execution.replaceOutput(viewOutput(item)));
  }

  #append(running: Running, write: () => Thenable<void>): void {
    const { cell } = running.execution;
    this.#writing.set(cell, (this.#writing.get(cell) ?? 0) + 1);
    running.writes = running.writes
      .then(write)
      // The cell was deleted, or the window closes. The output is not needed.
      .catch(() => this.#shown.delete(cell))
      .then(() => {
        const left = (this.#writing.get(cell) ?? 1) - 1;
        if (left > 0) this.#writing.set(cell, left);
        else this.#writing.delete(cell);
      });
  }

  /**
   * The user may have cleared the output. Then it must be written again, even if `#shown` contains
   * it.
   */
  #isShown(cell: vscode.NotebookCell, item: ViewItem): boolean {
    return this.#shown.get(cell) === key(item) && (cell.outputs.length > 0 || this.#writing.has(cell));
  }

  #finish(cell: vscode.NotebookCell, running: Running, ok: boolean | undefined): void {
    if (ok === false) this.#failed.add(cell);
    else this.#failed.delete(cell);
    const ended = running.writes.then(() => {
      running.execution.end(ok, ok === undefined ? undefined : Date.now());
      if (this.#ending.get(cell) === ended) this.#ending.delete(cell);
    });
    this.#ending.set(cell, ended);
  }
}

const key = (item: ViewItem): string => `${item.session}/${item.cell}`;

function viewOutput(item: ViewItem): vscode.NotebookCellOutput {
  return new vscode.NotebookCellOutput([
    vscode.NotebookCellOutputItem.json(item, viewMime),
    vscode.NotebookCellOutputItem.text(`Live view of cell ${item.cell}. It is drawn by Sluice's renderer.`),
  ]);
}
