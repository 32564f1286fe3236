// An exported job as a process: configuration, log, HTTP port, signals and exit codes around the
// same job that `sluice run` runs.
import { dirname, join } from 'node:path';
import { isSluiceError, messageOf } from '../../engine/errors/thrown.ts';
import type { StartFrom } from '../../engine/graph/parameters.ts';
import { startTimer } from '../../engine/runtime/long-timer.ts';
import { executorThread } from '../server/executor-thread.ts';
import type { CellCompiler } from '../server/effects.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { embeddedModules } from './embedded-modules.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { fixedStarts } from './fixed-starts.ts';
import { graceOf } from './grace.ts';
import { claimInstance } from './instance-claim.ts';
import type { JobData } from './job-data.ts';
import { type JobLog, jobLog } from './job-log.ts';
import { notesOf } from './job-metrics.ts';
import type { JobOutput } from './job-output.ts';
import { serveJob } from './job-server.ts';
import type { WaysOut } from './job-state.ts';
import { JobStatus } from './job-status.ts';
import { runJob } from './run-job.ts';

/** `file`: that of the job. Returns the exit code. */
export async function runExportedJob(data: JobData, file: string): Promise<number> {
  const { configuration, problems, warnings } = readConfiguration(process.env, data);
  const log = jobLog(process.stdout, configuration?.application ?? data.name, configuration?.logLevel ?? 'info');
  for (const warning of warnings) log.write('warn', warning);
  for (const problem of problems) log.write('error', problem, { code: 'bad-configuration' });
  try {
    return configuration ? await runConfigured(data, file, configuration, log) : exitCodes.badConfiguration;
  } catch (error) {
    const code = isSluiceError(error) ? error.code : 'internal';
    const isKnown = code !== 'internal';
    log.write('error', messageOf(error), { code, ...(!isKnown && error instanceof Error && { stack: error.stack }) });
    return exitCodeOf([code]);
  } finally {
    await log.drained();
  }
}

async function runConfigured(data: JobData, file: string, configuration: Configuration, log: JobLog): Promise<number> {
  const { application, params, http, graceMillis, stateDirectory } = configuration;
  const status = new JobStatus(application);
  const stopped = stopSignal(status, log, graceMillis);
  log.write('info', `The job starts: ${data.notebook}, made by Sluice ${data.build}.`, { state: stateDirectory });
  const server = http && (await serveJob(status, http));
  if (server) log.write('info', `HTTP: http://${http.host}:${server.port}`, { port: server.port });
  const notebook = join(configuration.dataDirectory ?? dirname(file), data.notebook);
  const { hasFailed, isUnsaved, errors } = await runJob({
    cells: data.cells.map(({ id, kind, text }) => ({ id, kind, text })),
    params,
    compiler: compiledCells(data),
    startExecutor: () =>
      executorThread(notebook, {
        params,
        isJob: true,
        topics: { startFrom: configuration.startFrom, commitTo: application },
        onOutput: (text) => log.write('info', text.trimEnd(), { stream: 'output' }),
      }),
    isDry: false,
    isLossless: false,
    state: {
      ...{ directory: stateDirectory, savepoint: configuration.savepoint, mayLeaveOut: false, ways },
      constants: Object.fromEntries(data.cells.map(({ id, constants = {} }) => [id, constants])),
      // Packages are compared here, and loaded in the executor's thread.
      modules: { notebook, files: embeddedModules(notebook, data), areInJob: true },
    },
    checkpointMillis: configuration.checkpointMillis,
    lastCheckpointMillis: graceOf(graceMillis).checkpointMillis,
    forMillis: undefined,
    stopped,
    claim: claimInstance({
      ...{ application, stateDirectory, connections: data.connections },
      warn: (text) => log.write('warn', text),
    }),
    output: logOutput(log, status, configuration.startFrom),
  }).finally(() => server?.close());
  log.write('info', hasFailed ? 'The job has failed.' : stopped.aborted ? 'The job has stopped.' : 'The job is done.');
  if (hasFailed) return exitCodeOf(errors);
  return isUnsaved ? exitCodes.unsaved : exitCodes.done;
}

function stopSignal(status: JobStatus, log: JobLog, graceMillis: number): AbortSignal {
  const stopping = new AbortController();
  const { forceMillis, logMillis } = graceOf(graceMillis);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) return;
      log.write('info', `${signal}: the job takes its last checkpoint and stops.`);
      status.ending();
      stopping.abort();
      const leaveByForce = (): void => {
        log.write('error', 'The job had not closed when SLUICE_GRACE_SECONDS were over, so it leaves by force.', {
          code: 'grace-over',
        });
        const leave = (): never => process.exit(exitCodes.unsaved);
        // Nobody may read the log any more.
        setTimeout(leave, logMillis);
        void log.drained().then(leave);
      };
      startTimer(leaveByForce, forceMillis, { keepsAlive: false });
    });
  return stopping.signal;
}

function compiledCells({ cells }: JobData): CellCompiler {
  const byId = new Map(cells.map((cell) => [cell.id, cell.compiled]));
  return {
    compile(_cells, cell) {
      const compiled = byId.get(cell);
      return compiled ? Promise.resolve(compiled) : Promise.reject(new Error(`The job has no cell "${cell}".`));
    },
  };
}

function logOutput(log: JobLog, status: JobStatus, start: StartFrom | undefined): JobOutput {
  return {
    console: (cell, lines) => lines.forEach((line) => log.write('info', line, { cell })),
    error: (cell, { code, message }) => log.write('error', message, { ...(cell !== undefined && { cell }), code }),
    warning: (text) => log.write('warn', text),
    watch(control, reports) {
      status.watch(control, reports);
    },
    declared(nodes) {
      const others = start && fixedStarts(nodes, start);
      if (others !== undefined) log.write('warn', others);
    },
    end(_control, reports) {
      status.ending();
      for (const note of notesOf(reports.all)) log.write('warn', note);
    },
    drained: () => log.drained(),
  };
}

const ways: WaysOut = {
  upgrade: (directory) => `SLUICE_START=savepoint:${directory} with another SLUICE_APPLICATION_ID`,
  // A platform starts the job again with the same variables.
  useSavepoint: undefined,
  again: () => 'Set another SLUICE_APPLICATION_ID to run it again from the beginning',
};
