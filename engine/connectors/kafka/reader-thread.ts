// The thread that fetches a topic, so that network, decompression and record batches never delay
// the executor.
//
// The thread is started with this file, or with the bundle that contains it. So loading the file
// starts a reader in such a thread, and does nothing elsewhere. A program in one file must check
// `isReaderThread` before its own work.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { followConnection } from '../../connections/connection-named.ts';
import type { ReadRequest, ToReader } from './reader-messages.ts';
import { TopicReader } from './topic-reader.ts';

const readerRole = 'sluice-kafka-reader';
interface ReaderData {
  readonly kind: typeof readerRole;
  readonly request: ReadRequest;
}

export function startReaderThread(request: ReadRequest): Worker {
  const data: ReaderData = { kind: readerRole, request };
  const reader = new Worker(new URL(import.meta.url), {
    workerData: data,
    name: `kafka ${request.topic}`,
    execArgv: [],
  });
  const endFollowing = followConnection(request.connection, (connection) =>
    reader.postMessage({ kind: 'connection', connection } satisfies ToReader),
  );
  return reader.once('exit', endFollowing);
}

export function isReaderThread(): boolean {
  return !isMainThread && (workerData as Partial<ReaderData> | null)?.kind === readerRole;
}

if (isReaderThread()) {
  const port = parentPort!;
  // The source waits for what it asked for, so a lost message is the end of this thread.
  port.on('messageerror', (error) => {
    throw new Error(`a message of the source could not be read: ${error.message}`);
  });
  void new TopicReader((workerData as ReaderData).request, port).run();
}
