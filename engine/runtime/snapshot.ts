// The state of a task between two lives: chains of segments by key group, and segments by kind for
// the rest. engine/state/segment.ts has the format of the bytes.
import type { EntriesInFlight, StateReader, StateSchema, StateWriter } from '../contract/operator.ts';
import {
  bytesOf,
  type Chain,
  compacted,
  entriesOf,
  garbageOf,
  putsOf,
  itemsSegment,
  segmentValue,
  valueSegment,
} from '../state/segment.ts';
import type { GateState } from './gate-state.ts';

export interface TaskSnapshot {
  /** False: only what has changed since the former snapshot. */
  readonly full: boolean;
  /** What the entries are. Absent: the operator has none. */
  readonly schema?: StateSchema;
  readonly groups: ReadonlyMap<number, Chain>;
  /**
   * Bytes of records that a compaction takes out, by key group. Only known in the life that wrote
   * them: it is not stored, because the first snapshot after a restore is whole.
   */
  readonly garbage?: ReadonlyMap<number, number>;
  /** What is not keyed, by its kind (`StateWriter`): each replaces what was known of the kind. */
  readonly value?: Uint8Array;
  readonly splits?: Uint8Array;
  /** Segments of the list, in order. */
  readonly list?: readonly Uint8Array[];
  /** The order of the list counts. */
  readonly isOrdered?: boolean;
  /** Segments of its items, in order. One segment with all of it: a former version wrote it. */
  readonly broadcast?: readonly Uint8Array[] | Uint8Array;
  readonly minimum?: number;
  /** The last watermark that was emitted: watermarks must not go back after a restore. */
  readonly watermark: number;
  /** What its inputs had heard of time. A source has no inputs. */
  readonly gate?: GateState | undefined;
}

/** Of a task without state. `watermark`: the time that it, or its predecessor, has emitted. */
export function emptySnapshot(watermark = -Infinity): TaskSnapshot {
  return { full: true, groups: new Map(), watermark };
}

export class SnapshotWriter implements StateWriter {
  readonly full: boolean;
  #isWhole: boolean;
  #schema: StateSchema | undefined;
  #entries: EntriesInFlight | undefined;
  readonly #rest: { -readonly [K in 'value' | 'splits']?: Uint8Array } & {
    minimum?: number;
    isOrdered?: boolean;
  } = {};
  #list: Iterable<unknown> | undefined;
  #broadcast: Iterable<unknown> | undefined;
  constructor(full: boolean) {
    this.full = full;
    this.#isWhole = full;
  }
  entries(schema: StateSchema, entries: EntriesInFlight, isWhole: boolean): void {
    this.#schema = schema;
    this.#entries = entries;
    this.#isWhole ||= isWhole;
  }
  value(content: unknown): void {
    this.#rest.value = valueSegment(content);
  }
  splits(content: ReadonlyMap<string, unknown>): void {
    this.#rest.splits = valueSegment(content, 'splits');
  }
  list(items: readonly unknown[]): void {
    this.#list = items;
  }
  orderedList(items: readonly unknown[]): void {
    this.#list = items;
    this.#rest.isOrdered = true;
  }
  broadcast(items: Iterable<unknown>): void {
    this.#broadcast = items;
  }
  minimum(time: number): void {
    this.#rest.minimum = time;
  }
  begun(watermark: number, gate?: GateState): SnapshotInFlight {
    const schema = this.#schema;
    const rest = { full: this.#isWhole, ...(schema && { schema }), ...this.#rest, watermark, ...(gate && { gate }) };
    return new BegunSnapshot(rest, this.#entries, { list: this.#list, broadcast: this.#broadcast });
  }
  done(watermark: number, gate?: GateState): TaskSnapshot {
    return this.begun(watermark, gate).finished();
  }
}

/** The snapshot of a task that stood at the barrier. Its entries are written in slices. */
export interface SnapshotInFlight {
  /** Writes until all is written (true), or until the time is up. */
  proceed(isTimeUp: () => boolean): boolean;
  /** Writes the rest at once. */
  finished(): TaskSnapshot;
}

/** For a task that holds nothing but what it was given. */
export function unchanged(snapshot: TaskSnapshot): SnapshotInFlight {
  return { proceed: () => true, finished: () => snapshot };
}

/** Items on their way into segments. Between two of them is a look at the clock. */
class ItemsInFlight {
  readonly kind: 'list' | 'broadcast';
  readonly segments: Uint8Array[] = [];
  readonly #items: Iterator<unknown>;
  constructor(kind: 'list' | 'broadcast', items: Iterable<unknown>) {
    this.kind = kind;
    this.#items = items[Symbol.iterator]();
  }
  proceed(isTimeUp: () => boolean): boolean {
    for (;;) {
      const segment = itemsSegment(this.#items, this.kind);
      if (!segment) return true;
      this.segments.push(segment);
      if (isTimeUp()) return false;
    }
  }
}

class BegunSnapshot implements SnapshotInFlight {
  readonly #rest: Omit<TaskSnapshot, 'groups' | 'list' | 'broadcast'>;
  readonly #entries: EntriesInFlight | undefined;
  readonly #items: readonly ItemsInFlight[];
  constructor(
    rest: Omit<TaskSnapshot, 'groups' | 'list' | 'broadcast'>,
    entries: EntriesInFlight | undefined,
    items: Readonly<Record<'list' | 'broadcast', Iterable<unknown> | undefined>>,
  ) {
    this.#rest = rest;
    this.#entries = entries;
    this.#items = (['list', 'broadcast'] as const).flatMap((kind) => {
      const given = items[kind];
      return given ? [new ItemsInFlight(kind, given)] : [];
    });
  }
  proceed(isTimeUp: () => boolean): boolean {
    if (this.#entries?.proceed(isTimeUp) === false) return false;
    return this.#items.every((items) => items.proceed(isTimeUp));
  }
  finished(): TaskSnapshot {
    this.proceed(() => false);
    const segments = this.#entries?.segments ?? new Map<number, Uint8Array>();
    const groups = new Map([...segments].map(([group, segment]) => [group, [segment]] as const));
    const garbage = this.#entries?.garbage;
    const items = Object.fromEntries(this.#items.map(({ kind, segments: written }) => [kind, written]));
    return { ...this.#rest, ...items, groups, ...(garbage?.size && { garbage }) };
  }
}

export function readSnapshot({ schema, groups, ...rest }: TaskSnapshot): StateReader {
  return {
    schema,
    *entries() {
      for (const chain of groups.values()) yield* entriesOf(chain);
    },
    value: () => rest.value && segmentValue(rest.value),
    splits: () => rest.splits && (segmentValue(rest.splits, 'splits') as ReadonlyMap<string, unknown>),
    list: () => rest.list?.flatMap((segment) => segmentValue(segment, 'list')),
    broadcast() {
      const { broadcast } = rest;
      if (!broadcast || broadcast instanceof Uint8Array) return broadcast && segmentValue(broadcast, 'broadcast');
      return broadcast.flatMap((segment) => segmentValue(segment, 'broadcast'));
    },
    minimum: () => rest.minimum,
  };
}

/**
 * Snapshots in a row as one, oldest first. It says what changed since the one before the first of
 * them, so what is gone stays noted and nothing is compacted.
 */
export function joinedSnapshots(inOrder: readonly TaskSnapshot[]): TaskSnapshot {
  return inOrder.reduce((earlier, later) => {
    if (later.full) return later;
    const groups = new Map(earlier.groups);
    for (const [group, chain] of later.groups) appendChain(groups, group, chain);
    return { ...earlier, ...later, full: earlier.full, groups, garbage: addedGarbage(earlier, later) };
  });
}

/** The segments of `chain` are the latest of the group. */
function appendChain(groups: Map<number, Chain>, group: number, chain: Chain): void {
  groups.set(group, [...(groups.get(group) ?? []), ...chain]);
}

function addedGarbage(earlier: TaskSnapshot, later: TaskSnapshot): Map<number, number> {
  const garbage = new Map(earlier.garbage);
  for (const [group, bytes] of later.garbage ?? []) garbage.set(group, (garbage.get(group) ?? 0) + bytes);
  return garbage;
}

/** Bytes as they are saved, and a bound of the entries. */
export function sizeOf({ groups, list = [], value, splits, broadcast = [] }: TaskSnapshot): {
  readonly entries: number;
  readonly bytes: number;
} {
  let entries = 0;
  let bytes = bytesOf(list) + bytesOf(broadcast instanceof Uint8Array ? [broadcast] : broadcast);
  for (const segment of [value, splits]) bytes += segment?.length ?? 0;
  for (const chain of groups.values()) {
    bytes += bytesOf(chain);
    entries += putsOf(chain);
  }
  return { entries, bytes };
}

/** Half of a chain may be bytes that later segments have replaced. */
const mostGarbage = 0.5;
/** With this much garbage, a chain is compacted when its turn comes. */
const muchGarbage = 0.25;
/** How much is compacted for each byte that a snapshot adds. */
const compactedPerByte = 2.5;

/** The later snapshot on top of the earlier ones. */
export function mergeSnapshots(base: TaskSnapshot | undefined, next: TaskSnapshot): TaskSnapshot {
  const isWhole = !base || next.full;
  // A whole one may have garbage of its own, if it was joined of several.
  const earlier = isWhole ? emptySnapshot() : base;
  const { groups, garbage } = next.groups.size === 0 ? earlier : mergeGroups(earlier, next);
  return { ...(!isWhole && base), ...next, full: true, groups, ...(garbage && { garbage }) };
}

/**
 * Appends segments to their chains, so a restore reads what was changed often several times: at
 * most twice the bytes that it needs. The chains with the most garbage are compacted before that,
 * a few each time, because all of them reach the bound together when the keys are even.
 */
function mergeGroups(base: TaskSnapshot, next: TaskSnapshot): Pick<TaskSnapshot, 'groups' | 'garbage'> {
  const groups = new Map(base.groups);
  const records = addedGarbage(base, next);
  let budget = 0;
  for (const [group, chain] of next.groups) {
    appendChain(groups, group, chain);
    budget += compactedPerByte * bytesOf(chain);
  }
  const worst = [...next.groups.keys()]
    .map((group) => ({ group, chain: groups.get(group)! }))
    .map(({ group, chain }) => ({ group, chain, garbage: garbageOf(chain, records.get(group) ?? 0) }))
    .filter(({ garbage }) => garbage > muchGarbage)
    .sort((a, b) => b.garbage - a.garbage);
  for (const { group, chain, garbage } of worst) {
    if (budget <= 0 && garbage <= mostGarbage) break;
    budget -= bytesOf(chain);
    const segment = compacted(chain);
    if (segment) groups.set(group, [segment]);
    else groups.delete(group);
    records.delete(group);
  }
  return { groups, garbage: records };
}
