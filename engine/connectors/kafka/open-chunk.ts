// A chunk of records that is being emitted: the index of the next record, and the place of its
// value, key and headers in the bytes.
import type { Chunk } from './reader-messages.ts';
import { ChunkText } from './record-decoder.ts';
import type { SplitState } from './split.ts';

export interface OpenChunk {
  readonly chunk: Chunk;
  readonly state: SplitState;
  readonly text: ChunkText;
  at: number;
  /** The records before it are counted in `state.read`. */
  countedTo: number;
  bytesAt: number;
  keysAt: number;
  headersAt: number;
}

export function openChunk(chunk: Chunk, state: SplitState): OpenChunk {
  return { chunk, state, text: new ChunkText(chunk), at: 0, countedTo: 0, bytesAt: 0, keysAt: 0, headersAt: 0 };
}

/** The records before `at` are emitted or rejected. */
export function countRead(open: OpenChunk): void {
  open.state.read += open.at - open.countedTo;
  open.countedTo = open.at;
}

/** The key of record i; undefined: it has none. */
export function keyOf(open: OpenChunk, i: number): Buffer | undefined {
  const length = open.chunk.columns.keys!.lengths[i]!;
  if (length < 0) return undefined;
  const start = open.keysAt;
  open.keysAt += length;
  return open.text.keys!.subarray(start, open.keysAt);
}
