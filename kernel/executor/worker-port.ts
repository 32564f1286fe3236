// An executor as the control thread holds it: a worker thread, its events, and its place while it
// sends none.
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
  /**
   * The file that a thread runs as an executor: the kernel's bundle, or `worker-main.ts` from
   * sources.
   */
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
  return new WorkerExecutor(options);
}

class WorkerExecutor implements ExecutorPort {
  readonly #worker: Worker;
  readonly #place = new SharedPlace();
  readonly #watch: MemoryWatch;
  readonly #names = new Map<number, PlaceName>();
  /** Runs that are being evaluated, and their cells. */
  readonly #evaluating = new Map<number, string>();
  readonly #listeners: ((event: ExecutorEvent) => void)[] = [];
  readonly #endListeners: Parameters<ExecutorPort['onEnd']>[0][] = [];
  #heardAt = Date.now();
  #cause: string | undefined;
  #memory: MemoryEnd | undefined;
  /** Its place when it was ended. The shared memory may change before the thread is gone. */
  #endedAt: { readonly place: Whereabouts | undefined } | undefined;

  constructor({ notebook, params, isJob, entry, onOutput, memory = memoryLimit() }: WorkerExecutorOptions) {
    const data: ExecutorData = { kind: executorRole, notebook, params, isJob, place: this.#place.memory };
    const worker = new Worker(entry, {
      workerData: data,
      name: 'sluice executor',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes(memory) },
      stdout: true,
      stderr: true,
    });
    this.#worker = worker;
    // Standard output belongs to rows.
    const write = onOutput ?? ((text: string) => void process.stderr.write(text));
    for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (text: Buffer) => write(text.toString()));
    this.#watch = new MemoryWatch(memory, {
      look: () => worker.getHeapStatistics(),
      collectGarbage: () => worker.postMessage({ kind: 'collect-garbage' } satisfies CollectGarbage),
      exceeded: (end) => {
        this.#memory = end;
        this.#endedAt = { place: this.whereabouts() };
        void worker.terminate();
      },
    });
    this.#watch.start();
    worker.on('message', (event: ExecutorEvent | PlaceName) => this.#message(event));
    worker.on('error', (error) => this.#error(error));
    // The session counts on every event. What was in this one is not known.
    worker.on('messageerror', (error) => {
      this.#cause = `a message of it could not be read: ${error.message}`;
      void worker.terminate();
    });
    worker.on('exit', (code) => this.#exit(code));
  }

  #message(event: ExecutorEvent | PlaceName): void {
    this.#heardAt = Date.now();
    if (event.kind === 'place') {
      this.#names.set(event.number, event);
      return;
    }
    if (event.kind === 'evaluated' || event.kind === 'evaluation-failed') this.#evaluating.delete(event.run);
    for (const listener of this.#listeners) listener(event);
  }
  #error(error: unknown): void {
    this.#cause = reasonOf(error);
    const isOutOfMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const { limitMegabytes, heldMegabytes } = this.#watch;
    if (isOutOfMemory) this.#memory ??= { limitMegabytes, heldMegabytes };
  }
  #exit(code: number): void {
    this.#watch.stop();
    const reason = this.#memory ? causeOf(this.#memory) : (this.#cause ?? `its thread ended with code ${code}`);
    for (const listener of this.#endListeners) listener(reason, this.#memory);
  }

  post(command: ExecutorCommand): void {
    if (command.kind === 'evaluate') this.#evaluating.set(command.run, command.cell);
    if (command.kind === 'discard') this.#evaluating.delete(command.run);
    this.#worker.postMessage(command);
  }
  onEvent(listener: (event: ExecutorEvent) => void): void {
    this.#listeners.push(listener);
  }
  onEnd(listener: Parameters<ExecutorPort['onEnd']>[0]): void {
    this.#endListeners.push(listener);
  }
  whereabouts(): Whereabouts | undefined {
    if (this.#endedAt) return this.#endedAt.place;
    const { place, millis } = this.#place.read();
    const operator = this.#names.get(place);
    if (operator) return { cell: operator.cell, operator: operator.operator, millis };
    // After an await a cell goes on in a callback, which the shared place does not see. So a silent
    // thread is in the cell whose evaluation is not over.
    const isSilent = Date.now() - this.#heardAt > silentMillis;
    const cell = this.#evaluating.get(-place) ?? (isSilent ? [...this.#evaluating.values()].at(-1) : undefined);
    return cell === undefined ? undefined : { cell, millis };
  }
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Some errors lose their message on the way between threads. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? 'an error without a message was thrown' : message;
}
/** An executor sends metrics every second. A thread that is silent longer is inside user code. */
const silentMillis = 400;
