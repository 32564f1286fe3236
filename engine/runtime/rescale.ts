// The snapshots of an operator's instances as those of another number of instances. Each kind of
// state says how it is divided (`StateWriter`); a key belongs to the instance of its key group.
import { isDeepStrictEqual } from 'node:util';
import type { StateReader } from '../contract/operator.ts';
import { SluiceError } from '../errors/error.ts';
import { keyGroups } from '../state/key-group.ts';
import { type Chain, valueSegment } from '../state/segment.ts';
import { readSnapshot, type TaskSnapshot } from './snapshot.ts';

/** The instance of a key group: ranges of the same length, to one group. As in Flink. */
export function instanceOf(keyGroup: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / keyGroups);
}

/**
 * `snapshots` are whole, one for each instance of before. The operator's own scalars come from the
 * first instance, and the earliest watermark of all instances counts. What gates knew of time stays
 * if all knew the same. Otherwise they learn it from their inputs, which say it again. A list whose
 * order counts stays with its instance, so it must be empty if their number changes.
 */
export function rescale(
  snapshots: readonly TaskSnapshot[],
  parallelism: number,
  operator: string,
): readonly TaskSnapshot[] {
  if (snapshots.length !== parallelism) refuseOrdered(snapshots, operator);
  const readers = snapshots.map(readSnapshot);
  const groups = groupsOf(snapshots, parallelism);
  const splits = splitsOf(readers, parallelism);
  const lists = listsOf(readers, parallelism);
  const isOrdered = snapshots.some((one) => one.isOrdered);
  const first = <K extends keyof TaskSnapshot>(name: K): TaskSnapshot[K] | undefined =>
    snapshots.find((one) => one[name] !== undefined)?.[name];
  const [schema, value, broadcast] = [first('schema'), first('value'), first('broadcast')];
  const minima = snapshots.flatMap(({ minimum }) => minimum ?? []);
  const [gate, ...gates] = snapshots.map((one) => one.gate);
  const shared = {
    full: true,
    ...(schema && { schema }),
    ...(value && { value }),
    ...(broadcast && { broadcast }),
    ...(minima.length > 0 && { minimum: Math.min(...minima) }),
    watermark: Math.min(...snapshots.map(({ watermark }) => watermark)),
    ...(gate && gates.every((other) => isDeepStrictEqual(other, gate)) && { gate }),
  };
  return groups.map((own, instance) => ({
    ...shared,
    ...(splits && { splits: splits[instance]! }),
    ...(lists && { list: [lists[instance]!] }),
    ...(isOrdered && { isOrdered }),
    groups: own,
  }));
}

/**
 * Round robin would break the order of a key, and separate marks of time from what they are behind.
 */
function refuseOrdered(snapshots: readonly TaskSnapshot[], operator: string): void {
  const items = snapshots
    .filter(({ isOrdered }) => isOrdered)
    .reduce((sum, one) => sum + (readSnapshot(one).list()?.length ?? 0), 0);
  if (items === 0) return;
  throw new SluiceError(
    'ordered-state',
    `The saved state of "${operator}" has ${items} elements in flight whose order counts, so instances cannot share ` +
      'them. Keep the number of its instances, or take the savepoint when it has nothing in flight.',
  );
}

/** A group is in one snapshot only. If not, the later words are those of the later snapshot. */
function groupsOf(snapshots: readonly TaskSnapshot[], parallelism: number): Map<number, Chain>[] {
  const divided = Array.from({ length: parallelism }, () => new Map<number, Chain>());
  for (const { groups } of snapshots)
    for (const [group, chain] of groups) divided[instanceOf(group, parallelism)]!.set(group, chain);
  return divided;
}
/** Round robin, in the order of the names. */
function splitsOf(readers: readonly StateReader[], parallelism: number): Uint8Array[] | undefined {
  const saved = readers.flatMap((reader) => reader.splits() ?? []);
  if (saved.length === 0) return undefined;
  const all = new Map(saved.flatMap((splits) => [...splits]));
  const instances = new Map([...all.keys()].toSorted().map((name, at) => [name, at % parallelism]));
  const divided = Array.from({ length: parallelism }, () => new Map<string, unknown>());
  for (const [name, state] of all) divided[instances.get(name)!]!.set(name, state);
  return divided.map((splits) => valueSegment(splits, 'splits'));
}
function listsOf(readers: readonly StateReader[], parallelism: number): Uint8Array[] | undefined {
  const saved = readers.flatMap((reader) => {
    const list = reader.list();
    return list ? [list] : [];
  });
  if (saved.length === 0) return undefined;
  // The number of instances is the same: each keeps its list.
  if (saved.length === parallelism) return saved.map((items) => valueSegment(items, 'list'));
  const items = saved.flat();
  return Array.from({ length: parallelism }, (_, instance) =>
    valueSegment(
      items.filter((_item, at) => at % parallelism === instance),
      'list',
    ),
  );
}
