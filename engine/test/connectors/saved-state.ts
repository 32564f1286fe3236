// The state of one operator or source, in bytes and back.
import type { StateReader, StateWriter } from '../../contract/operator.ts';
import type { Split, SplitPosition } from '../../connectors/kafka/split.ts';
import { readSnapshot, SnapshotWriter } from '../../runtime/snapshot.ts';

export function savedState(from: { snapshot(writer: StateWriter): void }): StateReader {
  const writer = new SnapshotWriter(true);
  from.snapshot(writer);
  return readSnapshot(writer.done(-Infinity));
}
/** What a topic's source has saved of its splits. */
export function savedSplits(saved: StateReader): { splits: SplitPosition[]; unresolved: Split[] } {
  const all = [...(saved.splits()?.values() ?? [])] as { split: Split; position?: SplitPosition }[];
  return {
    splits: all.flatMap(({ position }) => position ?? []),
    unresolved: all.flatMap(({ split, position }) => (position ? [] : split)),
  };
}
