// An executor as the control thread holds it: a worker thread, what it says, and where it is when it says nothing.
import { Worker } from 'node:worker_threads';
import type { ExecutorCommand, ExecutorEvent, ExecutorPort, Whereabouts } from './executor-protocol.ts';
import { causeOf, heapLimitMegabytes, type MemoryEnd, memoryLimit, MemoryWatch } from './memory-limit.ts';
import { type CollectGarbage, type ExecutorData, executorRole } from './worker-entry.ts';
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
  /** What the thread may hold, in megabytes; by default the setting `sluice.memory`. */
  readonly memory?: number | undefined;
}
interface PlaceName {
  readonly kind: 'place';
  readonly number: number;
  readonly cell: string;
  readonly operator: string;
}

export function startWorkerExecutor(options: WorkerExecutorOptions): ExecutorPort {
  const { notebook, params, isJob, entry, onOutput, memory: limitMegabytes = memoryLimit() } = options;
  const place = new SharedPlace();
  const data: ExecutorData = { kind: executorRole, notebook, params, isJob, place: place.memory };
  const worker = new Worker(entry, {
    workerData: data,
    name: 'sluice executor',
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes(limitMegabytes) },
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
  const endListeners: Parameters<ExecutorPort['onEnd']>[0][] = [];
  let heardAt = Date.now();
  let cause: string | undefined;
  let memory: MemoryEnd | undefined;
  /** Where it was when it was ended: its shared memory may change before it is gone. */
  let endedAt: { readonly place: Whereabouts | undefined } | undefined;
  const watch = new MemoryWatch(limitMegabytes, {
    look: () => worker.getHeapStatistics(),
    collectGarbage: () => worker.postMessage({ kind: 'collect-garbage' } satisfies CollectGarbage),
    exceeded(end) {
      memory = end;
      endedAt = { place: whereabouts() };
      void worker.terminate();
    },
  });
  watch.start();

  worker.on('message', (event: ExecutorEvent | PlaceName) => {
    heardAt = Date.now();
    if (event.kind === 'place') {
      names.set(event.number, event);
      return;
    }
    if (event.kind === 'evaluated' || event.kind === 'evaluation-failed') evaluating.delete(event.run);
    for (const listener of listeners) listener(event);
  });
  worker.on('error', (error) => {
    cause = reasonOf(error);
    const isOutOfMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (isOutOfMemory) memory ??= { limitMegabytes: watch.limitMegabytes, heldMegabytes: watch.heldMegabytes };
  });
  // The session counts on every event. What was in this one is not known.
  worker.on('messageerror', (error) => {
    cause = `a message of it could not be read: ${error.message}`;
    void worker.terminate();
  });
  worker.on('exit', (code) => {
    watch.stop();
    const reason = memory ? causeOf(memory) : (cause ?? `its thread ended with code ${code}`);
    for (const listener of endListeners) listener(reason, memory);
  });

  function whereabouts(): Whereabouts | undefined {
    if (endedAt) return endedAt.place;
    const { place: at, millis } = place.read();
    const operator = names.get(at);
    if (operator) return { cell: operator.cell, operator: operator.operator, millis };
    const cell =
      evaluating.get(-at) ?? (Date.now() - heardAt > silentMillis ? [...evaluating.values()].at(-1) : undefined);
    // After an await a cell goes on in a callback, which the shared place does not see: it is the
    // one whose evaluation is not over.
    return cell === undefined ? undefined : { cell, millis };
  }

  return {
    post(command: ExecutorCommand) {
      if (command.kind === 'evaluate') evaluating.set(command.run, command.cell);
      if (command.kind === 'discard') evaluating.delete(command.run);
      worker.postMessage(command);
    },
    onEvent: (listener) => void listeners.push(listener),
    onEnd: (listener) => void endListeners.push(listener),
    whereabouts,
    terminate: async () => void (await worker.terminate()),
  };
}
/** Some errors lose their message on the way between threads. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? 'an error without a message was thrown' : message;
}
/** An executor says something every second (metrics); a thread that does not is somewhere inside user code. */
const silentMillis = 400;
