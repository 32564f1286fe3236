// The snapshot form of open windows: one key group as columns.
import type { Contents } from '../aggregates/accumulators.ts';
import type { Keyed } from '../state/changed-groups.ts';
import type { WindowsOfKey } from './open-window.ts';
import { checkColumns } from './window-columns.ts';

export interface WindowGroup {
  /** Packed keys. */
  readonly keys: unknown[];
  /** The windows of each key. */
  readonly windows: (readonly PackedWindow[])[];
  /** The contents of the windows, in columns. */
  readonly kept: unknown[][];
}
type Packing<A extends Keyed> = Pick<Contents<A>, 'columns' | 'pack' | 'unpack'>;
interface PackedWindow {
  readonly start: number;
  readonly end: number;
  /** Index of its contents in the columns; a purged window has none. */
  readonly at?: number;
  readonly trigger?: unknown;
  readonly eventTimers?: readonly number[];
  readonly processingTimers?: readonly number[];
}

export function packWindows<A extends Keyed>(
  group: WindowGroup,
  entry: WindowsOfKey<A>,
  packedKey: unknown,
  contents: Packing<A>,
): void {
  group.keys.push(packedKey);
  group.windows.push(
    entry.windows.map(({ start, end, contents: kept, trigger, eventTimers, processingTimers }): PackedWindow => {
      const at = group.kept[0]?.length ?? 0;
      if (kept !== undefined) contents.pack(kept, group.kept);
      return {
        start,
        end,
        ...(kept !== undefined && { at }),
        // Copied, because the snapshot must not change later.
        ...(trigger !== undefined && { trigger: trigger instanceof Map ? new Map(trigger) : trigger }),
        ...(eventTimers && { eventTimers: [...eventTimers] }),
        ...(processingTimers && { processingTimers: [...processingTimers] }),
      };
    }),
  );
}

/**
 * The keys of a group with their windows. The windows have their timers, but the timer services do
 * not know them yet.
 */
export function* unpackWindows<A extends Keyed>(
  { keys, windows, kept }: WindowGroup,
  entryOf: (packedKey: unknown) => WindowsOfKey<A>,
  contents: Packing<A>,
  name: string,
): Generator<WindowsOfKey<A>> {
  checkColumns(kept, contents.columns, name);
  for (const [index, packedKey] of keys.entries()) {
    const entry = entryOf(packedKey);
    for (const { at, trigger, eventTimers, processingTimers, ...range } of windows[index]!) {
      const window = entry.open(range);
      if (at !== undefined) window.contents = contents.unpack(entry.row, 0, kept, at);
      window.trigger = trigger;
      if (eventTimers) window.eventTimers = new Set(eventTimers);
      if (processingTimers) window.processingTimers = new Set(processingTimers);
    }
    yield entry;
  }
}
