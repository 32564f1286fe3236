// The kernel of the soak: an ordinary kernel with a probe. A connection to the probe gets the
// memory of each of its threads after a collection.
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:net';
import { socketPath } from '../../client/session-folder.ts';

export interface MemoryAfterCollection {
  readonly residentBytes: number;
  readonly controlHeapBytes: number;
  /** Of all other threads: the executor. */
  readonly threadHeapBytes: number;
}

export const probeName = 'probe';

interface WorkerMessage {
  readonly params: { readonly sessionId: string; readonly message: string };
}

/** Speaks to the inspector of this thread and, through it, to those of the other threads. */
class Threads {
  readonly #session = new Session();
  readonly #workers = new Set<string>();
  readonly #answers = new Map<number, (result: unknown) => void>();
  #id = 0;

  async connect(): Promise<void> {
    this.#session.connect();
    this.#session.on('NodeWorker.attachedToWorker', ({ params }) => this.#workers.add(params.sessionId));
    this.#session.on('NodeWorker.detachedFromWorker', ({ params }) => this.#workers.delete(params.sessionId));
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params }: WorkerMessage) => {
      const { id, result } = JSON.parse(params.message) as { readonly id?: number; readonly result?: unknown };
      if (id !== undefined) this.#answers.get(id)?.(result);
    });
    await this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  async measure(): Promise<MemoryAfterCollection> {
    await this.#session.post('HeapProfiler.collectGarbage');
    let threadHeapBytes = 0;
    for (const worker of this.#workers) {
      await this.#ask(worker, 'HeapProfiler.collectGarbage');
      const { usedSize } = (await this.#ask(worker, 'Runtime.getHeapUsage')) as { readonly usedSize: number };
      threadHeapBytes += usedSize;
    }
    const { heapUsed } = process.memoryUsage();
    return { residentBytes: process.memoryUsage.rss(), controlHeapBytes: heapUsed, threadHeapBytes };
  }

  #ask(sessionId: string, method: string): Promise<unknown> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (result) => {
        this.#answers.delete(id);
        resolve(result);
      });
      const message = JSON.stringify({ id, method });
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(reject);
    });
  }
}

const [, , , folder] = process.argv;
if (folder !== undefined) {
  const threads = new Threads();
  await threads.connect();
  const probe = createServer((socket) => {
    threads.measure().then(
      (memory) => socket.end(JSON.stringify(memory)),
      (error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  probe.listen(socketPath(folder, probeName));
  // The probe alone must not keep the process.
  probe.unref();
  await import('../../main.ts');
}
