// What an executor's thread does first. In the bundle this is one role of the kernel's one file; from sources it is a file of its own.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { traceOf } from '../../engine/runtime/trace.ts';
import { Executor } from './executor.ts';
import type { ExecutorCommand } from './executor-protocol.ts';
import { SharedPlace } from './whereabouts.ts';

export const executorRole = 'sluice-executor';

export interface ExecutorData {
  readonly kind: typeof executorRole;
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  readonly place: SharedArrayBuffer;
}

/** True when this thread was started to be an executor; then it is one from now on. */
export function becomeExecutor(): boolean {
  const data = workerData as Partial<ExecutorData> | null;
  if (isMainThread || data?.kind !== executorRole) return false;
  const { notebook, params, place } = data as ExecutorData;
  const port = parentPort!;
  const executor = new Executor({
    notebook,
    params,
    place: new SharedPlace(place),
    post: (event) => port.postMessage(event),
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
  port.on('message', (command: ExecutorCommand) => {
    if (command.kind === 'close') void executor.close().then(() => port.close());
    else executor.handle(command);
  });
  port.postMessage({ kind: 'ready' });
  return true;
}
