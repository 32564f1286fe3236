// What the figures of a soak mean: whether memory has grown, and whether the session did its work.
import type { MemoryAfterCollection } from './measured-kernel.ts';

/** Records a second of the session. */
export const rate = 20_000;

export interface Minute extends MemoryAfterCollection {
  readonly recordsPerSecond: number;
  /** Number of messages of each view. */
  readonly messages: ReadonlyMap<string, number>;
}
export interface Verdict {
  readonly faults: readonly string[];
  /** The last line of the soak. */
  readonly line: string;
}

/** Until then caches and compiled code may grow. */
const settledMinute = 10;
/** A view gets up to five frames a second. */
const fewestMessages = 10;

export function verdict(minutes: readonly Minute[], views: readonly string[]): Verdict {
  const isLong = minutes.length > settledMinute;
  const compared = isLong ? settledMinute : 1;
  const [first, last] = [minutes[compared - 1]!, minutes.at(-1)!];
  const heap = heapOf(last) / heapOf(first) - 1;
  const resident = last.residentBytes / first.residentBytes - 1;
  const mostGrowth = isLong ? 0.1 : 0.5;
  const faults: string[] = [];
  if (heap > mostGrowth) faults.push(`the heap has grown by ${percent(heap)}`);
  // In the first minutes resident memory follows the largest size of the heap.
  if (isLong && resident > mostGrowth) faults.push(`resident memory has grown by ${percent(resident)}`);
  for (const [i, { messages, recordsPerSecond }] of minutes.entries()) {
    for (const view of views)
      if ((messages.get(view) ?? 0) < fewestMessages) faults.push(`"${view}" stood still in minute ${i + 1}`);
    if (recordsPerSecond < rate / 2) faults.push(`only ${Math.round(recordsPerSecond)} records/s in minute ${i + 1}`);
  }
  const result = faults.length === 0 ? 'within bounds' : `OUT OF BOUNDS: ${faults.join('; ')}`;
  const figures = `heap ${percent(heap)}, resident ${percent(resident)}`;
  return { faults, line: `${minutes.length} minutes, from minute ${compared}: ${figures}; ${result}` };
}

export function heapOf({ controlHeapBytes, threadHeapBytes }: MemoryAfterCollection): number {
  return controlHeapBytes + threadHeapBytes;
}

function percent(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)} %`;
}
