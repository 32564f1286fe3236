// What the thread of the fuzzer gets, and the memory that it shares with its starter.
import type { Plant, TargetName } from './target.ts';

/** Places in the shared header. */
export const place = { stop: 0, input: 1, length: 2, accepted: 3, rejected: 4, done: 5 } as const;

export interface WorkerTask {
  readonly target: TargetName;
  readonly plant?: Plant | undefined;
  readonly seed: number;
  /** Number of the first input. */
  readonly from: number;
  readonly header: Int32Array;
  readonly input: Uint8Array;
  /** A file with the input at work, for the case that the process ends. */
  readonly note: string;
  /** Only this input is tried. */
  readonly replay?: Uint8Array | undefined;
}
