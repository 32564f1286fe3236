// Runs the cells of a notebook as a job in this process, until their sources end, the time is over,
// or a signal stops it. `sluice run` and an exported job are both this function.
import { setTimeout as sleep } from 'node:timers/promises';
import { exponentialDelay } from '../../engine/api/fault-tolerance.ts';
import type { PlanNode } from '../../engine/graph/plan.ts';
import { startTimer } from '../../engine/runtime/long-timer.ts';
import type { ExecutorPort } from '../executor/executor-protocol.ts';
import { ViewStore } from '../displays/view-store.ts';
import type { CellText } from '../protocol/messages.ts';
import { Control } from '../server/control.ts';
import type { CellCompiler } from '../server/effects.ts';
import type { LastingCall } from '../server/lasting-calls.ts';
import { allOver, isConnecting } from '../session/plan-end.ts';
import { Failures } from './failures.ts';
import { JobConsoles } from './job-consoles.ts';
import type { InstanceClaim } from './instance-claim.ts';
import { isEndless } from './job-end.ts';
import { JobReports } from './job-metrics.ts';
import { jobObserver } from './job-observer.ts';
import type { JobOutput } from './job-output.ts';
import { commandWays, openJobState, type ResumedJob, type StateOptions } from './job-state.ts';
import { lastCheckpoint } from './last-checkpoint.ts';
import { notReturned, operatorNotReturned } from './not-returned.ts';
import { unwrittenRows } from './unwritten.ts';

export interface JobOptions {
  /** All cells in document order. The code cells run. */
  readonly cells: readonly CellText[];
  readonly params: Readonly<Record<string, string>>;
  readonly compiler: CellCompiler;
  startExecutor(): ExecutorPort;
  /** Sinks write nothing. */
  readonly isDry: boolean;
  /** Every row of a display is sent and waits for its reader. */
  readonly isLossless: boolean;
  readonly state: StateOptions;
  /** Time between checkpoints when the notebook does not say, in milliseconds. Default: 10 s. */
  readonly checkpointMillis?: number | undefined;
  /** At the end, the last checkpoint has this long: sinks commit with it. Default: 30,000. */
  readonly lastCheckpointMillis?: number | undefined;
  /** The job ends after this time. undefined: never. */
  readonly forMillis: number | undefined;
  /** Aborted when the user or a supervisor stops the job. */
  readonly stopped: AbortSignal;
  /** The one instance of the job that may run; undefined: its state folder alone says so. */
  readonly claim?: InstanceClaim | undefined;
  readonly output: JobOutput;
  /** A call of user code lasts longer than others; undefined: none does any more. */
  readonly lasts?: (call: LastingCall | undefined) => void;
}

export interface JobEnd {
  /** A cell has failed, or a row was left out. */
  readonly hasFailed: boolean;
  /** The codes of its failures, in the order in which they came. */
  readonly errors: readonly string[];
  /** The last checkpoint was not complete in time. */
  readonly isUnsaved: boolean;
}

/**
 * A cell that fails stops no other cell of a job that ends by itself: each failing cell has its
 * error. A job that never ends is ended by its first failure.
 */
export async function runJob(options: JobOptions): Promise<JobEnd> {
  const { output, params, cells } = options;
  const state = await openJobState(options.state, cells, params);
  for (const warning of state.warnings) output.warning(warning);
  // With rows to commit it goes on for that, and ends at once.
  if (state.resumes?.isFinished && !state.resumes.mayCommit) {
    output.warning(startText(options.state, state.resumes));
    await state.storage?.close();
    await output.drained();
    return { hasFailed: false, errors: [], isUnsaved: false };
  }
  try {
    await options.claim?.start();
  } catch (error) {
    await state.storage?.close();
    throw error;
  }
  const failures = new Failures((cell, error) => output.error(cell, error));
  void options.claim?.lost.then((error) => {
    failures.add(undefined, error);
    failures.end();
  });
  const consoles = new JobConsoles();
  const reports = new JobReports();
  const { lasts, checkpointMillis } = options;
  const control: Control = new Control({
    settings: {
      arming: options.isDry ? 'none' : 'all',
      attach: 'together',
      idleMillis: Infinity,
      lossless: options.isLossless,
      params,
      ...(state.storage && { restart: exponentialDelay }),
      ...(checkpointMillis !== undefined && { checkpointMillis }),
    },
    storage: state.storage,
    upgrade: state.upgrade,
    beforeStore: () => output.drained(),
    compiler: options.compiler,
    views: new ViewStore(),
    startExecutor: () => options.startExecutor(),
    observer: jobObserver(output, failures, consoles, reports, () => control.session),
    ...(lasts && { lasts }),
    ended: () => undefined,
  });
  output.watch(control, reports);
  control.start();
  let isUnsaved = false;
  try {
    control.dispatch({ kind: 'sync', cells });
    const code = cells.filter(({ kind }) => kind === 'code').map(({ id }) => id);
    if (state.resumes) {
      output.warning(startText(options.state, state.resumes));
      control.dispatch({ kind: 'choose', choice: 'resume' });
    }
    const ran = state.resumes ? isReady(control) : control.run(code);
    // With state, sources go on from there.
    if (!state.resumes && !state.upgrade) void ran.then(() => output.declared?.(declaredNodes(control)));
    const ends = [aborted(options.stopped), failures.ended, jobIsOver(control, failures, ran)];
    const timeOver = options.forMillis === undefined ? [] : [timeIsUp(options.forMillis).then(() => 'time' as const)];
    if ((await Promise.race([...ends, ...timeOver])) === 'time')
      for (const { cell, error } of notReturned(control.session.runs)) failures.add(cell, error);
    if (!failures.hasFailed) {
      const missing = await lastCheckpoint(control, state.storage !== undefined, options.lastCheckpointMillis);
      isUnsaved = missing !== undefined;
      if (missing !== undefined) output.warning(missing);
    }
  } finally {
    for (const { cell, error } of operatorNotReturned(await control.close())) failures.add(cell, error);
    for (const { cell, error } of unwrittenRows(control.session.metrics?.operators ?? [])) failures.add(cell, error);
    for (const [cell, line] of consoles.rest()) output.console(cell, [line]);
    output.end(control, reports);
    await options.claim?.close();
    await output.drained();
  }
  return { hasFailed: failures.any, errors: failures.codes, isUnsaved };
}

/** What a start with a checkpoint does. */
function startText(
  { directory = '', ways = commandWays }: StateOptions,
  { takenAt, isFinished, mayCommit, lost }: ResumedJob,
): string {
  const time = new Date(takenAt).toISOString();
  if (!isFinished) {
    const goesOn = `The job goes on from the checkpoint of ${time}.`;
    if (lost.length === 0) return goesOn;
    const fails = lost.length === 1 ? 'its cell fails' : 'their cells fail';
    return `${goesOn} ${lost.join(', ')} cannot be read again: ${fails}. ${ways.again(directory)}.`;
  }
  const what = mayCommit
    ? 'nothing is written again. Only rows that a sink had not committed yet are committed'
    : 'nothing is done';
  return `This job had finished at ${time}, so ${what}. ${ways.again(directory)}.`;
}

function declaredNodes({ session }: Control): readonly PlanNode[] {
  return [...session.cells.values()].flatMap(({ active }) => active?.fragment.nodes ?? []);
}

/** The executor has the state of the checkpoint. */
async function isReady(control: Control): Promise<void> {
  while (!['ready', 'broken'].includes(control.session.executor)) await sleep(20);
}

/** After a failure, sources that connect have this long to fail too, so that each is reported. */
const othersMillis = 10_000;

/**
 * The cells have run and all is done, or one has failed and the rest would never end. Then no
 * source is still connecting: several wrong topics are several errors of one run.
 */
async function jobIsOver(control: Control, failures: Failures, ran: Promise<unknown>): Promise<void> {
  let hasRun = false;
  void ran.then(() => (hasRun = true));
  let failedAt: number | undefined;
  for (;;) {
    if (hasRun && allOver(control.session)) return;
    if (failures.hasFailed && isEndless(control.session)) {
      failedAt ??= performance.now();
      if (!isConnecting(control.session) || performance.now() - failedAt > othersMillis) return failures.end();
    }
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
