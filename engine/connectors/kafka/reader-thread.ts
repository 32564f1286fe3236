// Where a topic is fetched: a thread of its own, so that network, decompression and reading of record batches never stop the executor.
// Started from the sources it is this folder's `reader-entry.ts`; a bundle says with `useReaderEntry` which of its files to start instead,
// and that file calls `runReaderThread` when `isReaderThread` says so.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { ReaderPort, ReadRequest } from './reader-messages.ts';
import { TopicReader } from './topic-reader.ts';

const readerKind = 'sluice-kafka-reader';

let entry = new URL('./reader-entry.ts', import.meta.url);
export function useReaderEntry(url: URL): void {
  entry = url;
}

export function startReaderThread(request: ReadRequest): Worker {
  return new Worker(entry, { workerData: { kind: readerKind, request }, name: `kafka ${request.topic}`, execArgv: [] });
}

export function isReaderThread(): boolean {
  return !isMainThread && (workerData as { kind?: unknown } | null)?.kind === readerKind;
}

export async function runReaderThread(): Promise<void> {
  const { request } = workerData as { request: ReadRequest };
  await new TopicReader(request, parentPort as ReaderPort).run();
}
