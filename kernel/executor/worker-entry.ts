// The start of an executor's thread. In the bundle it is one role of the kernel's single file. From
// sources it is a file of its own.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type Definitions, handOverConnections } from '../../engine/connections/connection-named.ts';
import type { JobTopics } from '../../engine/graph/parameters.ts';
import { traceOf } from '../../engine/runtime/trace.ts';
import type { KeptData } from '../cells/kept-data.ts';
import type { ModuleFiles } from '../cells/module-files.ts';
import { removeCodeVariables } from '../protocol/code-variables.ts';
import { BufferAccount } from './buffer-account.ts';
import { eventPoster } from './event-poster.ts';
import { Executor } from './executor.ts';
import type { ExecutorCommand } from './executor-protocol.ts';
import { collectGarbage } from './collect-garbage.ts';
import { answerHereabouts } from './hereabouts.ts';
import { refuseExit } from './no-exit.ts';
import { SharedPlace } from './whereabouts.ts';

/** No commands: they concern the thread, not what runs in it. */
export type ThreadOrder =
  | { readonly kind: 'collect-garbage' }
  /** Counts which cell takes buffers, from now on or no longer. */
  | { readonly kind: 'account'; readonly isOn: boolean };

/** The thread ends now, by code of this cell. */
export interface LastWord {
  readonly kind: 'leaves';
  readonly cell: string;
}

export const executorRole = 'sluice-executor';

export interface ExecutorData {
  readonly kind: typeof executorRole;
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  readonly isJob: boolean;
  readonly topics?: JobTopics | undefined;
  readonly place: SharedArrayBuffer;
  /** Those that an editor has handed over. */
  readonly connections: Definitions;
}

/**
 * True when this thread was started to be an executor; then it is one from now on. `modulesOf`:
 * where the modules come from that the cells of a notebook import. `constants`: values that an
 * export has evaluated.
 */
export function becomeExecutor(
  modulesOf: (notebook: string) => ModuleFiles,
  constants?: (cell: string) => KeptData | undefined,
): boolean {
  const data = workerData as Partial<ExecutorData> | null;
  if (isMainThread || data?.kind !== executorRole) return false;
  const { notebook, params, isJob, topics, place, connections } = data as ExecutorData;
  handOverConnections(connections);
  removeCodeVariables(process.env);
  // A cell that shows its workerData shows no secret.
  Reflect.deleteProperty(data, 'connections');
  const port = parentPort!;
  const account = new BufferAccount();
  const executor: Executor = new Executor({
    notebook,
    params,
    isJob,
    topics,
    modules: modulesOf(notebook),
    constants,
    place: new SharedPlace(place),
    post: eventPoster(
      (event) => port.postMessage(event),
      (instance) => executor.sourceAbove(instance),
    ),
    // Standard error of a thread is that of its process, or the log of a kernel.
    trace: traceOf(process.env['SLUICE_TRACE'], (line) => process.stderr.write(`${line}\n`)),
    postPlace: (number, cell, operator) => port.postMessage({ kind: 'place', number, cell, operator }),
    account,
  });
  answerHereabouts(account, () => executor.kept());
  refuseExit((cell) => port.postMessage({ kind: 'leaves', cell } satisfies LastWord));
  // What a cell leaves to itself must not end the thread of all the others.
  process.on('unhandledRejection', (error) => {
    if (!executor.reportUncaught(error, 'rejection')) throw error;
  });
  process.on('uncaughtException', (error) => {
    if (!executor.reportUncaught(error, 'exception')) throw error;
  });
  port.on('message', (command: ExecutorCommand | ThreadOrder) => {
    if (command.kind === 'collect-garbage') return collectGarbage();
    if (command.kind === 'account') return account.switch(command.isOn);
    if (command.kind === 'close') void executor.close().then(() => port.close());
    else executor.handle(command);
  });
  // The session waits for the answer to every command, so a lost one is the end of this thread.
  port.on('messageerror', (error) => {
    throw new Error(`a command of the session could not be read: ${error.message}`);
  });
  port.postMessage({ kind: 'ready' });
  return true;
}
