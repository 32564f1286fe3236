// `sluice run`: runs the notebook as a job in this process until its sources end, the time is over,
// or a signal stops it.
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rowNotShown } from '../executor/refused-rows.ts';
import { startTimer } from '../../engine/runtime/long-timer.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { ViewStore } from '../displays/view-store.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { RowLabel } from '../session/state.ts';
import { notebookCompiler } from '../server/compiler.ts';
import { Control } from '../server/control.ts';
import { executorThread } from '../server/executor-thread.ts';
import type { Observer, PulledRows, RowFrame } from '../server/observer.ts';
import { CommandError } from './command-error.ts';
import { isEndless, isFinished } from './job-end.ts';
import { jobMetrics, JobReports } from './job-metrics.ts';
import { JsonLines } from './json-lines.ts';
import { LiveTerminal } from './live-terminal.ts';
import { readNotebook } from './notebook.ts';
import { problemLine } from './problem-line.ts';
import { lineText, linesText } from './terminal-text.ts';
import { unwrittenRows } from './unwritten.ts';

export interface RunOptions {
  readonly json: boolean;
  readonly forMillis: number | undefined;
  readonly dry: boolean;
  readonly params: Readonly<Record<string, string>>;
  readonly out: NodeJS.WriteStream;
  /** Aborted when the user or a supervisor stops the command. */
  readonly stopped: AbortSignal;
}

/**
 * Returns the exit code. A cell that fails stops no other cell of a job that ends by itself: each
 * failing cell has its error, and the code is 1. A job that never ends is ended by its first
 * failure.
 */
export async function run(path: string, options: RunOptions): Promise<number> {
  const notebook = resolve(path);
  const { cells: document, problems } = readNotebook(notebook);
  const output = options.json ? jsonOutput(options) : textOutput(options);
  for (const problem of problems) output.problem(path, problem);
  if (problems.some(({ severity }) => severity === 'error')) {
    await output.drained();
    return 1;
  }
  const failures = new Failures(output);
  const reports = new JobReports();
  const control: Control = new Control({
    settings: {
      arming: options.dry ? 'none' : 'all',
      attach: 'together',
      idleMillis: Infinity,
      lossless: options.json,
    },
    compiler: notebookCompiler(() => notebook),
    views: new ViewStore(),
    startExecutor: () => executorThread(notebook, { params: options.params, isJob: true }),
    observer: {
      ...jobObserver(output, failures, () => isEndless(control.session)),
      measured: (event) => reports.add(event),
    },
    ended: () => undefined,
  });
  output.watch(control);
  control.start();
  try {
    control.dispatch({ kind: 'sync', cells: document });
    const code = document.filter(({ kind }) => kind === 'code').map(({ id }) => id);
    const ran = control.run(code);
    const ends = [aborted(options.stopped), failures.ended, jobIsOver(control, failures, ran)];
    if (options.forMillis !== undefined) ends.push(timeIsUp(options.forMillis));
    await Promise.race(ends);
  } finally {
    await control.close();
    if (!failures.any)
      for (const { cell, error } of unwrittenRows(control.session.metrics?.operators ?? [])) failures.add(cell, error);
    output.end(control, reports.all);
    await output.drained();
  }
  return failures.any ? 1 : 0;
}

/** Prints what the cells show and what fails. */
function jobObserver(output: Output, failures: Failures, isEndlessJob: () => boolean): Observer {
  return {
    rows: (frame, label) => output.rows(frame, label, failures),
    pulled: (event) => output.pulled(event, failures),
    console: ({ cell, lines }) =>
      output.console(
        cell,
        lines.map(({ text }) => text),
      ),
    runEnded: (cell, { error }) => error && failures.add(cell, error),
    // A new thread would emit rows twice, so the job reports the error and ends.
    executorEnded(reason) {
      failures.add(undefined, {
        code: 'executor-ended',
        message: `The thread that runs the cells ended: ${reason}.`,
      });
      failures.end();
    },
    graphFailed(error) {
      failures.add(error.cell, error);
      failures.end();
    },
    operatorFailed({ cell, error, name, record }) {
      failures.add(cell, { code: error.code, message: `${name}: ${withRecord(error.message, record)}` });
      if (isEndlessJob()) failures.end();
    },
    rowRefused: ({ display, cell, error, record }) =>
      failures.leftOut(display, cell, { code: error.code, message: withRecord(error.message, record) }),
  };
}

function withRecord(message: string, record: string | undefined): string {
  return record === undefined ? message : `${message} Record: ${record}`;
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The errors of a job. Each is printed once. */
class Failures {
  /** A cell has failed, or a row was left out. */
  any = false;
  /** A cell has failed. */
  hasFailed = false;
  /** Resolves when the job ends because of a failure. */
  readonly ended: Promise<void>;
  readonly #output: Output;
  readonly #end: () => void;
  readonly #displays = new Set<string>();
  #isOver = false;

  constructor(output: Output) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#output = output;
    this.ended = promise;
    this.#end = resolve;
  }

  /** A cell has failed. */
  add(cell: string | undefined, error: Failure): void {
    // What fails while the job ends depends on the moment.
    if (this.#isOver) return;
    this.any = true;
    this.hasFailed = true;
    this.#output.error(cell, error);
  }
  /**
   * A row of a display was left out, and the job goes on. Only the first of each display is
   * printed.
   */
  leftOut(display: string, cell: string, error: Failure): void {
    this.any = true;
    if (this.#displays.has(display)) return;
    this.#displays.add(display);
    this.#output.error(cell, error);
  }
  end(): void {
    this.#isOver = true;
    this.#end();
  }
}

/** The cells have run and all is done, or one has failed and the rest would never end. */
async function jobIsOver(control: Control, failures: Failures, ran: Promise<unknown>): Promise<void> {
  let hasRun = false;
  void ran.then(() => (hasRun = true));
  for (;;) {
    if (hasRun && isFinished(control.session)) return;
    if (failures.hasFailed && isEndless(control.session)) return;
    await sleep(50);
  }
}

function timeIsUp(millis: number): Promise<void> {
  return new Promise((resolve) => startTimer(() => resolve(), millis, { keepsAlive: false }));
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

interface Output {
  rows(frame: RowFrame, label: RowLabel, failures: Failures): Promise<void> | undefined;
  pulled(event: PulledRows, failures: Failures): Promise<void> | undefined;
  console(cell: string, lines: readonly string[]): void;
  error(cell: string | undefined, error: { readonly code: string; readonly message: string }): void;
  /** A problem that is found before anything runs. */
  problem(path: string, problem: CellDiagnostic): void;
  watch(control: Control): void;
  end(control: Control, reports: readonly OperatorReport[]): void;
  drained(): Promise<void>;
}

function jsonOutput({ out }: RunOptions): Output {
  const lines = new JsonLines(out);
  const firstPulled = new Map<string, string>();
  const several = (cell: string, label: string): string | undefined => {
    const first = firstPulled.get(cell) ?? label;
    firstPulled.set(cell, first);
    return label === first ? undefined : label;
  };
  return {
    rows: (frame, { cell, stream, isOneOfSeveral }, failures) =>
      lines.rows(
        { cell, ...(isOneOfSeveral && { stream }) },
        frame.rows.map(({ value }) => value),
        (message) => failures.leftOut(frame.display, cell, rowNotShown(message, cell)),
      ),
    pulled({ pull, cell, label, rows }, failures) {
      const stream = several(cell, label);
      return lines.rows({ cell, ...(stream !== undefined && { stream }) }, rows, (message) =>
        failures.leftOut(`pull ${pull}`, cell, rowNotShown(message, cell)),
      );
    },
    // stdout carries only JSON objects, so console output of cells goes to stderr.
    console: (cell, texts) => texts.forEach((text) => process.stderr.write(`${lineText(cell)}: ${linesText(text)}\n`)),
    error: (cell, error) => lines.error(cell, error),
    problem(path, problem) {
      if (problem.severity === 'error') lines.error(problem.cell, problem);
      else process.stderr.write(`${problemLine(path, problem)}\n`);
    },
    watch: () => undefined,
    end: (control, reports) => lines.metrics(jobMetrics(control.session, reports)),
    drained: () => lines.flushed(),
  };
}

function textOutput({ out }: RunOptions): Output {
  // Errors are lines of their own here, so views do not repeat them.
  const terminal = new LiveTerminal(out, { showsErrors: false });
  return {
    rows: () => undefined,
    pulled: () => undefined,
    console: (cell, texts) => texts.forEach((text) => terminal.line(`${cell}: ${text}`)),
    error: (cell, { message }) => terminal.line(cell === undefined ? message : `✖ ${cell}: ${message}`),
    // Nothing is drawn yet.
    problem: (path, problem) => out.write(`${problemLine(path, problem)}\n`),
    watch(control) {
      control.join('terminal', (method, params) => terminal.hear(method, params));
      terminal.onCell = (view) =>
        control.views.hello(
          { id: 'terminal', isReady: true, send: (message) => terminal.hear('view', message) },
          { view },
        );
    },
    end(control, reports) {
      terminal.end();
      terminal.summary(reports);
      for (const { id, leftOut } of control.view().cells)
        if (leftOut !== undefined) terminal.line(`▲ ${id}  ${leftOut}`);
    },
    drained: () => new Promise((resolve) => out.write('', () => resolve())),
  };
}

export function parseParams(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0)
        throw new CommandError('bad-param', `--param ${text} has no name and value. Write --param name=value.`);
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
}
