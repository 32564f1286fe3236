// Where a topic is fetched: a thread of its own, so that network, decompression and record batches never hold up the executor.
//
// The thread is started with this very file, or with the bundle that it is part of, which is why loading it does something in such a thread and nothing
// elsewhere. A program that is one file must ask `isReaderThread` before it begins with what it does otherwise.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { ReaderPort, ReadRequest } from './reader-messages.ts';
import { TopicReader } from './topic-reader.ts';

const readerRole = 'sluice-kafka-reader';
interface ReaderData {
  readonly kind: typeof readerRole;
  readonly request: ReadRequest;
}

export function startReaderThread(request: ReadRequest): Worker {
  const data: ReaderData = { kind: readerRole, request };
  return new Worker(new URL(import.meta.url), { workerData: data, name: `kafka ${request.topic}`, execArgv: [] });
}

export function isReaderThread(): boolean {
  return !isMainThread && (workerData as Partial<ReaderData> | null)?.kind === readerRole;
}

if (isReaderThread()) void new TopicReader((workerData as ReaderData).request, parentPort as ReaderPort).run();
