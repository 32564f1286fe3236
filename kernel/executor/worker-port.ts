// An executor as the control thread holds it: a worker thread, its events, and its place while it
// sends none.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { handedOverConnections } from '../../engine/connections/connection-named.ts';
import type { JobTopics } from '../../engine/graph/parameters.ts';
import type { ExecutorCommand, ExecutorEvent, ExecutorPort, Whereabouts } from './executor-protocol.ts';
import { cellHere, type Held, MemoryHolders } from './memory-holders.ts';
import {
  causeOf,
  heapLimitMegabytes,
  type MemoryEnd,
  memoryLimit,
  type MemoryLook,
  MemoryWatch,
} from './memory-limit.ts';
import { messageOf, readThrown } from '../../engine/errors/thrown.ts';
import { innermostCell } from '../cells/source-places.ts';
import { codeVariables, ownCodeFolder } from '../protocol/code-variables.ts';
import { cutText } from '../protocol/display-cut.ts';
import { ThreadInspector } from './thread-inspector.ts';
import { type ExecutorData, executorRole, type LastWord, type ThreadOrder } from './worker-entry.ts';
import { SharedPlace } from './whereabouts.ts';

export interface WorkerExecutorOptions {
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  /** `sluice run`: without a default for the idleness of sources. */
  readonly isJob: boolean;
  readonly topics?: JobTopics | undefined;
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
  readonly #inspector: ThreadInspector;
  readonly #holders: MemoryHolders;
  readonly #names = new Map<number, PlaceName>();
  /** Runs that are being evaluated, and their cells. */
  readonly #evaluating = new Map<number, string>();
  readonly #listeners: ((event: ExecutorEvent) => void)[] = [];
  readonly #endListeners: Parameters<ExecutorPort['onEnd']>[0][] = [];
  #heardAt = Date.now();
  /** What a silent thread has answered to an interrupt: the cell of a timer or a callback. */
  #silentIn: string | undefined;
  /** When a silent thread was asked for its cell; undefined: it has answered, or was heard. */
  #askedAt: number | undefined;
  #cause: string | undefined;
  #memory: MemoryEnd | undefined;
  /** Its place when it was ended. The shared memory may change before the thread is gone. */
  #endedAt: { readonly place: Whereabouts | undefined } | undefined;

  constructor({ entry, onOutput, memory = memoryLimit(), ...options }: WorkerExecutorOptions) {
    const { notebook, params, isJob, topics } = options;
    const data: ExecutorData = {
      kind: executorRole,
      notebook,
      params,
      isJob,
      topics,
      place: this.#place.memory,
      connections: handedOverConnections(),
    };
    const code = ownCodeFolder(process.env);
    const worker = new Worker(entry, {
      workerData: data,
      name: 'sluice executor',
      execArgv: [],
      // The same file, but other functions of it are compiled. In one folder the last writer wins.
      ...(code !== undefined && { env: { ...process.env, ...codeVariables(join(code, 'executor'), process.env) } }),
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes(memory) },
      stdout: true,
      stderr: true,
    });
    this.#worker = worker;
    // Standard output belongs to rows.
    const write = onOutput ?? ((text: string) => void process.stderr.write(text));
    for (const stream of [worker.stdout, worker.stderr]) stream.setEncoding('utf8').on('data', write);
    const order = (what: ThreadOrder): void => worker.postMessage(what);
    this.#inspector = new ThreadInspector(worker.threadId);
    this.#holders = new MemoryHolders(this.#inspector, (isOn) => order({ kind: 'account', isOn }));
    this.#watch = new MemoryWatch(memory, {
      look: () => worker.getHeapStatistics(),
      near: (now) => this.#holders.watch(heldOf(now)),
      far: () => this.#holders.rest(),
      collectGarbage: () => order({ kind: 'collect-garbage' }),
      exceeded: (end, now) => void this.#exceeded(end, heldOf(now)),
    });
    this.#watch.start();
    worker.on('message', (event: ExecutorEvent | PlaceName | LastWord) => this.#message(event));
    worker.on('error', (error) => this.#error(error));
    // The session counts on every event. What was in this one is not known.
    worker.on('messageerror', (error) => {
      this.#cause = `a message of it could not be read: ${error.message}`;
      void worker.terminate();
    });
    worker.on('exit', (code) => this.#exit(code));
  }

  /** Finds the cell that holds the memory, and ends the thread. */
  async #exceeded(end: MemoryEnd, now: Held): Promise<void> {
    this.#memory = end;
    const place = this.#sharedPlace();
    const { holds, isAtWork, kept } = await this.#holders.find(now);
    this.#memory = { ...end, kept, ...(holds !== undefined && { holder: holds }) };
    const cell = holds ?? place?.cell ?? isAtWork;
    if (cell !== undefined) this.#endedAt = { place: cell === place?.cell ? place : { cell, millis: 0 } };
    void this.#worker.terminate();
  }

  #message(event: ExecutorEvent | PlaceName | LastWord): void {
    this.#heardAt = Date.now();
    this.#silentIn = undefined;
    this.#askedAt = undefined;
    if (event.kind === 'place') {
      this.#names.set(event.number, event);
      return;
    }
    if (event.kind === 'leaves') return this.#endsIn(event.cell);
    if (event.kind === 'evaluated' || event.kind === 'evaluation-failed') this.#evaluating.delete(event.run);
    for (const listener of this.#listeners) listener(event);
  }
  /** An operator or an evaluation is known by its place. This may be a timer or a callback. */
  #endsIn(cell: string): void {
    this.#endedAt ??= { place: this.#sharedPlace() ?? { cell, millis: 0 } };
  }
  #error(error: unknown): void {
    this.#cause = reasonOf(error);
    const cell = innermostCell(readThrown(error).stack?.split('\n') ?? []);
    if (cell !== undefined) this.#endsIn(cell);
    const isOutOfMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const { limitMegabytes, heldMegabytes } = this.#watch;
    if (isOutOfMemory) this.#memory ??= { limitMegabytes, heldMegabytes };
  }
  #exit(code: number): void {
    this.#watch.stop();
    this.#inspector.close();
    const reason = this.#memory ? causeOf(this.#memory) : (this.#cause ?? `its thread ended with code ${code}`);
    for (const listener of this.#endListeners) listener(reason, this.#memory);
  }

  post(command: ExecutorCommand): void {
    if (command.kind === 'evaluate') this.#evaluating.set(command.run, command.cell);
    if (command.kind === 'discard') this.#evaluating.delete(command.run);
    this.#worker.postMessage(command);
    if (command.kind === 'interrupt') this.#askSilent();
  }
  onEvent(listener: (event: ExecutorEvent) => void): void {
    this.#listeners.push(listener);
  }
  onEnd(listener: Parameters<ExecutorPort['onEnd']>[0]): void {
    this.#endListeners.push(listener);
  }
  whereabouts(): Whereabouts | undefined {
    if (this.#endedAt) return this.#endedAt.place;
    const shared = this.#sharedPlace();
    const millis = Date.now() - this.#heardAt;
    if (shared || millis <= silentMillis) return shared;
    // A timer, a callback and the rest of a cell behind an await are not in the shared place.
    this.#askSilent();
    const cell = this.#silentIn ?? [...this.#evaluating.values()].at(-1);
    return cell === undefined ? undefined : { cell, millis };
  }
  #sharedPlace(): Whereabouts | undefined {
    const { place, millis } = this.#place.read();
    const operator = this.#names.get(place);
    if (operator) return { cell: operator.cell, operator: operator.operator, millis };
    const cell = this.#evaluating.get(-place);
    return cell === undefined ? undefined : { cell, millis };
  }
  /** The answer is there when the place is looked at again. */
  #askSilent(): void {
    if (this.#askedAt !== undefined || this.#silentIn !== undefined) return;
    const askedAt = Date.now();
    this.#askedAt = askedAt;
    void cellHere(this.#inspector).then((here) => {
      if (this.#askedAt !== askedAt || !here) return;
      this.#askedAt = undefined;
      this.#silentIn = here.cell;
    });
  }
  isUnanswered(): boolean {
    return this.#askedAt !== undefined && Date.now() - this.#askedAt > silentMillis;
  }
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

function heldOf({ used_heap_size, external_memory }: MemoryLook): Held {
  return { heap: used_heap_size, buffers: external_memory };
}
/** Some errors lose their message on the way between threads. */
function reasonOf(error: unknown): string {
  const message = cutText(messageOf(error));
  return message === '' ? 'an error without a message was thrown' : message;
}
/** An executor sends metrics every second. A thread that is silent longer is inside user code. */
const silentMillis = 400;
