// What the fuzzer tries: code of ours that reads what others wrote.
import type { SeededRandom } from './random.ts';

export type Outcome = 'accepted' | 'rejected';

export interface Target {
  /** Good inputs. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the format. */
  readonly words: readonly string[];
  /** Longer inputs are cut. For code that is slow and tried several times. */
  readonly longest?: number;
  /**
   * Reads the input and compares what must hold. An exception is a crash, unless it is the one with
   * which the code refuses an input; then the input is rejected.
   */
  attempt(input: Uint8Array, random: SeededRandom): Outcome | Promise<Outcome>;
  close?(): Promise<void>;
}

/**
 * A fault that a test plants into a target, to see that the fuzzer finds it. Any code can throw,
 * loop and hoard. `forgets` is another one in each target: what must hold does not.
 */
export type Plant = 'throws' | 'loops' | 'hoards' | 'forgets';

export const targetNames = [
  'notebook',
  'csv',
  'tsv',
  'jsonl',
  'json',
  'protocol',
  'page',
  'wire',
  'records',
  'schemas',
] as const;
export type TargetName = (typeof targetNames)[number];

export async function openTarget(name: TargetName, plant?: Plant): Promise<Target> {
  switch (name) {
    case 'notebook':
      return (await import('./targets/notebook.ts')).notebookTarget(plant);
    case 'csv':
    case 'tsv':
    case 'jsonl':
    case 'json':
      return (await import('./targets/file-rows.ts')).fileRowsTarget(name, plant);
    case 'protocol':
      return (await import('./targets/protocol.ts')).protocolTarget(plant);
    case 'page':
      return (await import('./targets/page.ts')).pageTarget(plant);
    case 'wire':
      return (await import('./targets/wire.ts')).wireTarget(plant);
    case 'records':
      return (await import('./targets/records.ts')).recordsTarget(plant);
    case 'schemas':
      return (await import('./targets/schemas.ts')).schemasTarget(plant);
  }
}

/** More CPU than an input may use, and not for ever. */
const loopMicroseconds = 2_000_000;

/** The planted faults that any code can have. They show on an input with an opening brace. */
export function planted(plant: Plant | undefined, input: Uint8Array): void {
  if (plant === undefined || plant === 'forgets' || !input.includes(0x7b)) return;
  if (plant === 'throws') throw new TypeError('A planted fault.');
  if (plant === 'loops') {
    const begun = process.cpuUsage();
    do for (let n = 0; n < 1_000_000; n++) Math.random();
    while (process.cpuUsage(begun).user < loopMicroseconds);
    return;
  }
  // The memory is full before the CPU of one input is used up.
  const hoard: unknown[] = [];
  for (;;) hoard.push(Buffer.alloc(64 << 20, 1));
}
