// Questions to a thread that does not return from user code. V8's inspector interrupts it, answers,
// and lets it go on. A thread is attached to with the first question, so one that is never asked
// pays nothing.
import { Session } from 'node:inspector';

/** A collection of garbage in a large heap comes before the answer. */
const answerMillis = 5000;

interface Answer {
  readonly id: number;
  readonly result?: unknown;
}

export class ThreadInspector {
  readonly #thread: number;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #session: Session | undefined;
  #attached: Promise<string | undefined> | undefined;
  #next = 1;

  /** `thread`: the `threadId` of a worker that this thread has started. */
  constructor(thread: number) {
    this.#thread = thread;
  }

  /** undefined: no answer within 5 s, or none that the method gives. */
  async ask(method: string, params: object = {}): Promise<unknown> {
    const sessionId = await (this.#attached ??= this.#attach());
    const session = this.#session;
    if (sessionId === undefined || !session) return undefined;
    const id = this.#next++;
    return within<unknown>((answered) => {
      this.#waiting.set(id, answered);
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) });
    });
  }
  /** Questions without an answer get none. */
  close(): void {
    this.#session?.disconnect();
    this.#session = undefined;
    for (const answered of this.#waiting.values()) answered(undefined);
    this.#waiting.clear();
  }

  #attach(): Promise<string | undefined> {
    return within<string>((attached) => {
      const session = new Session();
      this.#session = session;
      session.connect();
      session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
        if (workerInfo.title.startsWith(`[worker ${this.#thread}]`)) attached(sessionId);
        else session.post('NodeWorker.detach', { sessionId });
      });
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
        const { id, result } = JSON.parse(params.message) as Answer;
        this.#waiting.get(id)?.(result);
        this.#waiting.delete(id);
      });
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    });
  }
}

function within<T>(begin: (done: (result: T | undefined) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), answerMillis);
    timer.unref();
    const done = (result: T | undefined): void => {
      clearTimeout(timer);
      resolve(result);
    };
    try {
      begin(done);
    } catch {
      // This Node has no inspector.
      done(undefined);
    }
  });
}
