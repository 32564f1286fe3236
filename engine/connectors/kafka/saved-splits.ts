// The splits of a topic's source in a snapshot, each with its own time.
import type { PartitionTime, SourceTime, SourceTimeState } from '../../time/source-time.ts';
import type { SourceSplits } from './source-splits.ts';
import { nameOf, type Split, type SplitPosition } from './split.ts';

interface SavedSplit {
  readonly split: Split;
  /** Absent: its start was not found. */
  readonly position?: SplitPosition;
  readonly time?: PartitionTime | undefined;
}

/** The splits by their names, and the time that belongs to none of them. */
export function packSplits(
  positions: readonly SplitPosition[],
  withoutStart: readonly Split[],
  time: SourceTimeState,
): { readonly splits: ReadonlyMap<string, unknown>; readonly time: SourceTimeState } {
  const partitions = new Map(time.partitions.map((partition) => [partition.name, partition]));
  const timeOf = (split: Split): PartitionTime | undefined => {
    // With one topic, partitions of time have numbers as names.
    const found = partitions.get(nameOf(split)) ?? partitions.get(String(split.partition));
    if (found) partitions.delete(found.name);
    return found;
  };
  const found = positions.map((position): SavedSplit => ({ split: position, position, time: timeOf(position) }));
  const others = withoutStart.map((split): SavedSplit => ({ split, time: timeOf(split) }));
  return {
    splits: new Map([...found, ...others].map((one) => [nameOf(one.split), one])),
    time: { ...time, partitions: [...partitions.values()] },
  };
}
export function restoreSplits(
  saved: ReadonlyMap<string, unknown>,
  time: SourceTimeState,
  sourceTime: SourceTime,
  splits: SourceSplits,
): void {
  const own = [...saved.values()] as readonly SavedSplit[];
  sourceTime.restore({ ...time, partitions: [...time.partitions, ...own.flatMap((one) => one.time ?? [])] });
  splits.assign(own.flatMap(({ position }) => position ?? []));
  splits.unresolved(own.flatMap(({ split, position }) => (position ? [] : split)));
}
