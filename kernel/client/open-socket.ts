// Opens a session's socket within a time limit, and tells a socket without a listener from a kernel
// that hangs.
import { createConnection, type Socket } from 'node:net';

/** A kernel that runs answers within milliseconds. One that hangs holds up nobody for longer. */
export const answerMillis = 5_000;

export class NoAnswer extends Error {}

export function openSocket(path: string, millis = answerMillis): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new NoAnswer());
    }, millis);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // Its queue of connections is full, because it accepts none.
      reject(error.code === 'EAGAIN' ? new NoAnswer() : error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** The kernel has ended: its socket is gone, or nobody listens at it. */
export function isNobodyThere(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

/** The promise's outcome, or `late` as an error if there is none after this time. */
export async function within<T>(millis: number, promise: Promise<T>, late: Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), millis);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
