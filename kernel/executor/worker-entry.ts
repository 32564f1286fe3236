// The start of an executor's thread. In the bundle it is one role of the kernel's single file. From
// sources it is a file of its own.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { traceOf } from '../../engine/runtime/trace.ts';
import { eventPoster } from './event-poster.ts';
import { Executor } from './executor.ts';
import type { ExecutorCommand } from './executor-protocol.ts';
import { collectGarbage } from './collect-garbage.ts';
import { SharedPlace } from './whereabouts.ts';

/** Not a command: it concerns the thread, not what runs in it. */
export interface CollectGarbage {
  readonly kind: 'collect-garbage';
}

export const executorRole = 'sluice-executor';

export interface ExecutorData {
  readonly kind: typeof executorRole;
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  readonly isJob: boolean;
  readonly place: SharedArrayBuffer;
}

/** True when this thread was started to be an executor; then it is one from now on. */
export function becomeExecutor(): boolean {
  const data = workerData as Partial<ExecutorData> | null;
  if (isMainThread || data?.kind !== executorRole) return false;
  const { notebook, params, isJob, place } = data as ExecutorData;
  const port = parentPort!;
  const executor = new Executor({
    notebook,
    params,
    isJob,
    place: new SharedPlace(place),
    post: eventPoster((event) => port.postMessage(event)),
    // Standard error of a thread is that of its process, or the log of a kernel.
    trace: traceOf(process.env['SLUICE_TRACE'], (line) => process.stderr.write(`${line}\n`)),
    postPlace: (number, cell, operator) => port.postMessage({ kind: 'place', number, cell, operator }),
  });
  // What a cell leaves to itself must not end the thread of all the others.
  process.on('unhandledRejection', (error) => {
    if (!executor.reportUncaught(error, 'rejection')) throw error;
  });
  process.on('uncaughtException', (error) => {
    if (!executor.reportUncaught(error, 'exception')) throw error;
  });
  port.on('message', (command: ExecutorCommand | CollectGarbage) => {
    if (command.kind === 'collect-garbage') return collectGarbage();
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
