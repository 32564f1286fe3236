// `sluice run`: runs the notebook as a job in this process until its sources end, the time is over,
// or a signal stops it.
import { collapses } from '../../engine/graph/kinds.ts';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimer } from '../../engine/runtime/long-timer.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { ViewStore } from '../displays/view-store.ts';
import { allDisplaysEnded } from '../session/displayed.ts';
import type { RowLabel } from '../session/state.ts';
import { notebookCompiler } from '../server/compiler.ts';
import { Control } from '../server/control.ts';
import { executorThread } from '../server/executor-thread.ts';
import type { PulledRows, RowFrame } from '../server/observer.ts';
import { CommandError } from './command-error.ts';
import { jobMetrics } from './job-metrics.ts';
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

/** Returns the exit code. */
export async function run(path: string, options: RunOptions): Promise<number> {
  const notebook = resolve(path);
  const { cells: document, problems } = readNotebook(notebook);
  const output = options.json ? jsonOutput(options) : textOutput(options);
  for (const problem of problems) output.problem(path, problem);
  if (problems.some(({ severity }) => severity === 'error')) {
    await output.drained();
    return 1;
  }
  const failed = Promise.withResolvers<void>();
  const control = new Control({
    settings: {
      arming: options.dry ? 'none' : 'all',
      attach: 'together',
      idleMillis: Infinity,
      lossless: options.json,
    },
    compiler: notebookCompiler(() => notebook),
    views: new ViewStore(),
    startExecutor: () => executorThread(notebook, options.params),
    observer: {
      rows: (frame, label) => output.rows(frame, label),
      pulled: (event) => output.pulled(event),
      console: ({ cell, lines }) =>
        output.console(
          cell,
          lines.map(({ text }) => text),
        ),
      // A new thread would emit rows twice, so the job reports the error and ends.
      executorEnded(reason) {
        output.error(undefined, {
          code: 'executor-ended',
          message: `The thread that runs the cells ended: ${reason}.`,
        });
        failed.resolve();
      },
      graphFailed(error) {
        output.error(error.cell, error);
        failed.resolve();
      },
      operatorFailed({ cell, error, name, record }) {
        const where = record === undefined ? '' : ` Record: ${record}`;
        output.error(cell, { code: error.code, message: `${name}: ${error.message}${where}` });
        failed.resolve();
      },
    },
    ended: () => undefined,
  });
  output.watch(control);
  control.start();
  let code = 1;
  try {
    code = await outcome(control, document, options, failed.promise, output);
  } finally {
    await control.close();
    const unwritten = code === 0 ? unwrittenRows(control.session.metrics?.operators ?? []) : [];
    for (const { cell, error } of unwritten) output.error(cell, error);
    if (unwritten.length > 0) code = 1;
    output.end(control);
    await output.drained();
  }
  return code;
}

/** Runs the cells until their sources end, or until something else ends the job. */
async function outcome(
  control: Control,
  document: ReturnType<typeof readNotebook>['cells'],
  options: RunOptions,
  failed: Promise<void>,
  output: Output,
): Promise<number> {
  control.dispatch({ kind: 'sync', cells: document });
  const stopped = aborted(options.stopped);
  const time = options.forMillis === undefined ? undefined : timeIsUp(options.forMillis);
  const code = document.filter(({ kind }) => kind === 'code').map(({ id }) => id);
  const ends = [stopped, ...(time ? [time] : [])];
  const failure = failed.then(() => 'failed' as const);
  const results = await Promise.race([control.run(code), failure, ...ends]);
  if (results === 'failed') return 1;
  if (typeof results === 'object') {
    const wrong = results.find(({ ok }) => !ok);
    if (wrong?.error) {
      output.error(wrong.cell, wrong.error);
      return 1;
    }
    const end = await Promise.race([failure, finished(control), ...ends]);
    if (end === 'failed') return 1;
  }
  return 0;
}

function timeIsUp(millis: number): Promise<string> {
  return new Promise((resolve) => startTimer(() => resolve('time'), millis, { keepsAlive: false }));
}

/** All bounded sources have ended, all results have been emitted, and every row has been shown. */
async function finished(control: Control): Promise<string> {
  for (;;) {
    if (isFinished(control)) return 'finished';
    await sleep(50);
  }
}
function isFinished(control: Control): boolean {
  const { plan, metrics, mutation, runs, graphChanged } = control.session;
  if (mutation || graphChanged || runs.length > 0) return false;
  if (plan.nodes.length === 0) return true;
  const reports = new Map(metrics?.operators.map((report) => [report.id, report]));
  return (
    plan.nodes.every((node) => collapses(node) || reports.get(node.id)?.finished) && allDisplaysEnded(control.session)
  );
}

function aborted(signal: AbortSignal): Promise<string> {
  if (signal.aborted) return Promise.resolve('stopped');
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
}

interface Output {
  rows(frame: RowFrame, label: RowLabel): Promise<void> | undefined;
  pulled(event: PulledRows): Promise<void> | undefined;
  console(cell: string, lines: readonly string[]): void;
  error(cell: string | undefined, error: { readonly code: string; readonly message: string }): void;
  /** A problem that is found before anything runs. */
  problem(path: string, problem: CellDiagnostic): void;
  watch(control: Control): void;
  end(control: Control): void;
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
    rows: (frame, { cell, stream, isOneOfSeveral }) =>
      lines.rows(
        cell,
        isOneOfSeveral ? stream : undefined,
        frame.rows.map(({ value }) => value),
      ),
    pulled: ({ cell, label, rows }) => lines.rows(cell, several(cell, label), rows),
    // stdout carries only JSON objects, so console output of cells goes to stderr.
    console: (cell, texts) => texts.forEach((text) => process.stderr.write(`${lineText(cell)}: ${linesText(text)}\n`)),
    error: (cell, error) => lines.error(cell, error),
    problem(path, problem) {
      if (problem.severity === 'error') lines.error(problem.cell, problem);
      else process.stderr.write(`${problemLine(path, problem)}\n`);
    },
    watch: () => undefined,
    end: (control) => lines.metrics(jobMetrics(control.session.metrics?.operators ?? [])),
    drained: () => lines.flushed(),
  };
}

function textOutput({ out }: RunOptions): Output {
  const terminal = new LiveTerminal(out);
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
    end(control) {
      terminal.end();
      terminal.summary(control.session.metrics?.operators ?? []);
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
