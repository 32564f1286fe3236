// `sluice run`: runs the notebook as a job in this process until its sources end, the time is over,
// or a signal stops it.
import { dirname, resolve } from 'node:path';
import { rowNotShown } from '../executor/refused-rows.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { diskModules } from '../cells/disk-modules.ts';
import { unreadParam } from '../cells/read-params.ts';
import type { JobOutput } from '../job/job-output.ts';
import type { StateOptions } from '../job/job-state.ts';
import { jobMetrics, notesOf } from '../job/job-metrics.ts';
import { runJob } from '../job/run-job.ts';
import type { SessionView } from '../protocol/messages.ts';
import { notebookCompiler } from '../server/compiler.ts';
import { executorThread } from '../server/executor-thread.ts';
import { CommandError } from './command-error.ts';
import { JsonLines } from './json-lines.ts';
import { LastWords } from './last-words.ts';
import { LiveTerminal } from './live-terminal.ts';
import { readNotebook } from './notebook.ts';
import { problemLine } from './problem-line.ts';
import { lineText, linesText } from './terminal-text.ts';
import { TroubleLines } from './trouble-lines.ts';

export interface RunOptions {
  readonly json: boolean;
  readonly forMillis: number | undefined;
  readonly dry: boolean;
  readonly state: StateOptions;
  readonly params: Readonly<Record<string, string>>;
  readonly out: NodeJS.WriteStream;
  /** Aborted when the user or a supervisor stops the command. */
  readonly stopped: AbortSignal;
}

/** Returns the exit code: 1 when a cell has failed, or a row was left out. */
export async function run(path: string, options: RunOptions): Promise<number> {
  const notebook = resolve(path);
  const { cells, problems } = readNotebook(notebook);
  const { params } = options;
  refuseUnreadParams(params, cells, dirname(notebook));
  const output = options.json ? jsonOutput(options) : textOutput(options);
  for (const problem of problems) output.problem(path, problem);
  if (problems.some(({ severity }) => severity === 'error')) {
    await output.drained();
    return 1;
  }
  const lastWords = new LastWords(options.json);
  const { hasFailed } = await runJob({
    ...{ cells, params, output },
    compiler: notebookCompiler(() => notebook),
    startExecutor: () => executorThread(notebook, { params, isJob: true, onOutput }),
    isDry: options.dry,
    isLossless: options.json,
    state: { ...options.state, modules: { notebook, files: diskModules(notebook), areInJob: false } },
    forMillis: options.forMillis,
    stopped: options.stopped,
    lasts: (call) => lastWords.keep(call),
  }).finally(() => lastWords.end());
  return hasFailed ? 1 : 0;
}

/** Standard output belongs to rows, and a terminal gets no control characters of a cell. */
function onOutput(text: string): void {
  process.stderr.write(linesText(text));
}

interface Output extends JobOutput {
  /** A problem that is found before anything runs. */
  problem(path: string, problem: CellDiagnostic): void;
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
    warning: (text) => void process.stderr.write(`${linesText(text)}\n`),
    problem(path, problem) {
      if (problem.severity === 'error') lines.error(problem.cell, problem);
      else process.stderr.write(`${problemLine(path, problem)}\n`);
    },
    watch(control) {
      const troubles = new TroubleLines();
      control.join('json', (method, params) => {
        if (method !== 'state') return;
        for (const line of troubles.news(params as SessionView)) process.stderr.write(`▲ ${line}\n`);
      });
    },
    end(control, reports) {
      for (const note of notesOf(reports.all)) process.stderr.write(`▲ ${linesText(note)}\n`);
      lines.metrics(jobMetrics(control.session, reports));
    },
    drained: () => lines.flushed(),
  };
}

function textOutput({ out }: RunOptions): Output {
  // Errors are lines of their own here, so views do not repeat them.
  const terminal = new LiveTerminal(out, { showsErrors: false });
  return {
    console: (cell, texts) => texts.forEach((text) => terminal.line(`${cell}: ${text}`)),
    error: (cell, { message }) => terminal.line(cell === undefined ? message : `✖ ${cell}: ${message}`),
    warning: (text) => terminal.line(`▲ ${text}`),
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
    end(control, { all }) {
      // A short job may end before its first state or its last rows were sent.
      terminal.hear('state', control.view());
      control.views.flush();
      terminal.end();
      terminal.summary(all);
      for (const { id, leftOut } of control.view().cells)
        if (leftOut !== undefined) terminal.line(`▲ ${id}  ${leftOut}`);
    },
    drained: () => new Promise((resolve) => out.write('', () => resolve())),
  };
}

/** A parameter that no cell reads is a typing mistake, and the run would have its defaults. */
function refuseUnreadParams(
  params: RunOptions['params'],
  cells: readonly { kind: string; text: string }[],
  folder: string,
): void {
  const texts = cells.filter(({ kind }) => kind === 'code').map(({ text }) => text);
  const problem = unreadParam(Object.keys(params), texts, folder);
  if (problem !== undefined) throw new CommandError('bad-param', problem);
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
