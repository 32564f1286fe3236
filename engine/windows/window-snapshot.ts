// The saved form of the open windows of one key: a list of windows, each with its contents, the
// state of its trigger and its timers.
import type { Contents } from '../aggregates/accumulators.ts';
import type { Keyed } from '../state/keyed.ts';
import type { WindowsOfKey } from './open-window.ts';

type Packing<A extends Keyed> = Pick<Contents<A>, 'columns' | 'pack' | 'unpack'>;
interface PackedWindow {
  readonly start: number;
  readonly end: number;
  /** By the contents' columns; a purged window has none. */
  readonly kept?: readonly unknown[];
  readonly trigger?: unknown;
  readonly eventTimers?: readonly number[];
  readonly processingTimers?: readonly number[];
}

export function windowColumns<A extends Keyed>({ columns }: Packing<A>): readonly string[] {
  return [`windows of ${columns.join(' and ')}`];
}

/** Written at once, so nothing is copied but sets. */
export function packWindows<A extends Keyed>(entry: WindowsOfKey<A>, contents: Packing<A>): readonly unknown[] {
  const windows = entry.windows.map(
    ({ start, end, contents: kept, trigger, eventTimers, processingTimers }): PackedWindow => ({
      start,
      end,
      ...(kept !== undefined && { kept: contents.pack(kept) }),
      ...(trigger !== undefined && { trigger }),
      ...(eventTimers?.size && { eventTimers: [...eventTimers] }),
      ...(processingTimers?.size && { processingTimers: [...processingTimers] }),
    }),
  );
  return [windows];
}

/**
 * Opens the windows of a key. They have their timers, but the timer services do not know them yet.
 */
export function unpackWindows<A extends Keyed>(
  [windows]: readonly unknown[],
  entry: WindowsOfKey<A>,
  contents: Packing<A>,
): void {
  for (const { kept, trigger, eventTimers, processingTimers, ...range } of windows as readonly PackedWindow[]) {
    const window = entry.open(range);
    if (kept !== undefined) window.contents = contents.unpack(entry.row, 0, kept);
    window.trigger = trigger;
    if (eventTimers) window.eventTimers = new Set(eventTimers);
    if (processingTimers) window.processingTimers = new Set(processingTimers);
  }
}
