// An executor as the control thread holds it: a worker thread, what it says, and where it is when it says nothing.
import { Worker } from 'node:worker_threads';
import type { ExecutorCommand, ExecutorEvent, ExecutorPort, Whereabouts } from './executor-protocol.ts';
import { type ExecutorData, executorRole } from './worker-entry.ts';
import { SharedPlace } from './whereabouts.ts';

export interface WorkerExecutorOptions {
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  /** `sluice run`: without a default for the idleness of sources. */
  readonly isJob: boolean;
  /** The file that becomes an executor when it is a thread's entry: the kernel's bundle, or `worker-main.ts` from sources. */
  readonly entry: string | URL;
  /** Takes what the thread writes to its output: standard error unless somebody else wants it. */
  readonly onOutput?: ((text: string) => void) | undefined;
}
interface PlaceName {
  readonly kind: 'place';
  readonly number: number;
  readonly cell: string;
  readonly operator: string;
}

export function startWorkerExecutor({ notebook, params, isJob, entry, onOutput }: WorkerExecutorOptions): ExecutorPort {
  const place = new SharedPlace();
  const data: ExecutorData = { kind: executorRole, notebook, params, isJob, place: place.memory };
  const worker = new Worker(entry, {
    workerData: data,
    name: 'sluice executor',
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  // Standard output belongs to rows.
  const write = onOutput ?? ((text: string) => void process.stderr.write(text));
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (text: Buffer) => write(text.toString()));
  const names = new Map<number, PlaceName>();
  /** Runs that are being evaluated, and of which cell. */
  const evaluating = new Map<number, string>();
  const listeners: ((event: ExecutorEvent) => void)[] = [];
  const endListeners: ((reason: string) => void)[] = [];
  let heardAt = Date.now();
  let cause: string | undefined;

  worker.on('message', (event: ExecutorEvent | PlaceName) => {
    heardAt = Date.now();
    if (event.kind === 'place') {
      names.set(event.number, event);
      return;
    }
    if (event.kind === 'evaluated' || event.kind === 'evaluation-failed') evaluating.delete(event.run);
    for (const listener of listeners) listener(event);
  });
  worker.on('error', (error) => (cause = error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => {
    for (const listener of endListeners) listener(cause ?? `its thread ended with code ${code}`);
  });

  return {
    post(command: ExecutorCommand) {
      if (command.kind === 'evaluate') evaluating.set(command.run, command.cell);
      if (command.kind === 'discard') evaluating.delete(command.run);
      worker.postMessage(command);
    },
    onEvent: (listener) => void listeners.push(listener),
    onEnd: (listener) => void endListeners.push(listener),
    whereabouts(): Whereabouts | undefined {
      const { place: at, millis } = place.read();
      const operator = names.get(at);
      if (operator) return { cell: operator.cell, operator: operator.operator, millis };
      const cell =
        evaluating.get(-at) ?? (Date.now() - heardAt > silentMillis ? [...evaluating.values()].at(-1) : undefined);
      // After an await a cell goes on in a callback, which the shared place does not see: it is the one whose evaluation is not over.
      return cell === undefined ? undefined : { cell, millis };
    },
    terminate: async () => void (await worker.terminate()),
  };
}
/** An executor says something every second (metrics); a thread that does not is somewhere inside user code. */
const silentMillis = 400;
