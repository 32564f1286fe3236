// Map state of a process function: values by any key value, each entry with its own time to live.
// Dates, arrays and bigints are compared by value.
//
// As in Flink: the time to live of an entry starts when it is set. With refresh 'read-write', a
// read (get, has, a loop) renews it. Iteration order is the order in which keys were first set. A
// key that was deleted or has expired is added at the end.
import type { MapState } from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import { deepFreeze } from './freeze.ts';
import { isPrimitive } from './key-map.ts';
import { keyText } from './key-text.ts';
import { assertKeyValue } from './key-value.ts';
import { assertStorable, refuseUndefined } from '../values/storable.ts';
import { type Budget, type Expiring, ExpiryQueue } from './expiry-queue.ts';
import type { CurrentKey } from './value-state.ts';
import type { StateSpec } from '../graph/state-spec.ts';

export interface MapEntry {
  readonly key: unknown;
  readonly value: unknown;
  /** Infinity without a time to live. */
  readonly expiresAt: number;
}
/** An entry of a state with a time to live: the same object as long as it lives. */
interface TimedEntry extends MapEntry, Expiring {
  value: unknown;
  expiresAt: number;
  readonly identity: unknown;
}
/** The entries by the identities of their keys. */
export type SavedMap = Map<unknown, MapEntry>;
/** The map of one key. An empty map is not kept. */
export interface MapCell {
  readonly entries: SavedMap;
  /** When the entries of a large map expire. A small one is looked through. */
  queue?: ExpiryQueue<TimedEntry>;
}
/** A map with more entries has a queue. */
const fewEntries = 32;

/** The value of `ctx.state.name`. It always refers to the current key. */
export function mapState(
  owner: CurrentKey,
  index: number,
  spec: StateSpec,
  what: string,
  freeze: boolean,
): MapState<unknown, unknown> {
  const entries = new Entries(owner, index, spec);
  const identify = (key: unknown): unknown => identityIn(what, key);
  return {
    get: (key) => entries.read(entries.cell, identify(key))?.value,
    has: (key) => entries.read(entries.cell, identify(key)) !== undefined,
    set(key, value) {
      const identity = identify(key);
      refuseUndefined(value, what);
      assertStorable(value, what);
      if (freeze) {
        deepFreeze(key);
        deepFreeze(value);
      }
      entries.set(identity, key, value);
    },
    delete(key) {
      const { cell } = entries;
      const identity = identify(key);
      if (cell) entries.remove(cell, identity);
    },
    clear: () => entries.clear(),
    [Symbol.iterator]: () => entries.iterate(),
  };
}

/** The entries of the current key, by their identities. */
class Entries {
  readonly #owner: CurrentKey;
  readonly #index: number;
  readonly #ttlMillis: number;
  readonly #renewsOnRead: boolean;

  constructor(owner: CurrentKey, index: number, { ttlMillis = Infinity, refresh }: StateSpec) {
    this.#owner = owner;
    this.#index = index;
    this.#ttlMillis = ttlMillis;
    this.#renewsOnRead = refresh === 'read-write';
  }

  get cell(): MapCell | undefined {
    return this.#owner.current.values[this.#index] as MapCell | undefined;
  }
  /** The entry, if it has not expired. This renews it if `refresh` says so. */
  read(cell: MapCell | undefined, identity: unknown): MapEntry | undefined {
    const entry = cell?.entries.get(identity);
    if (!entry || entry.expiresAt === Infinity) return entry;
    const now = this.#owner.now();
    if (entry.expiresAt <= now) {
      this.remove(cell!, identity);
      return undefined;
    }
    if (this.#renewsOnRead) {
      this.#owner.touch();
      this.#renew(entry as TimedEntry, now + this.#ttlMillis);
    }
    return entry;
  }
  set(identity: unknown, key: unknown, value: unknown): void {
    const cell: MapCell = this.cell ?? { entries: new Map<unknown, MapEntry>() };
    this.#owner.touch();
    if (this.#ttlMillis === Infinity) this.#setLasting(cell, identity, key, value);
    else this.#setTimed(cell, identity, key, value);
    this.#owner.current.values[this.#index] = cell;
  }
  #setLasting({ entries }: MapCell, identity: unknown, key: unknown, value: unknown): void {
    const entry = entries.get(identity);
    // Another object: a snapshot of broadcast state may still have to write the former one.
    entries.set(identity, { key: entry ? entry.key : withoutSign(key), value, expiresAt: Infinity });
  }
  #setTimed(cell: MapCell, identity: unknown, key: unknown, value: unknown): void {
    const now = this.#owner.now();
    const expiresAt = now + this.#ttlMillis;
    const entry = cell.entries.get(identity) as TimedEntry | undefined;
    if (entry && entry.expiresAt > now) {
      entry.value = value;
      this.#renew(entry, expiresAt);
      return noteExpiry(cell, entry);
    }
    if (entry) removeEntry(cell, identity);
    const added: TimedEntry = { key: withoutSign(key), value, expiresAt, identity, lookAt: Infinity, place: -1 };
    cell.entries.set(identity, added);
    noteExpiry(cell, added);
    this.#owner.expires?.(expiresAt);
  }
  #renew(entry: TimedEntry, expiresAt: number): void {
    entry.expiresAt = expiresAt;
    this.#owner.expires?.(expiresAt);
  }
  remove(cell: MapCell, identity: unknown): void {
    if (!cell.entries.has(identity)) return;
    this.#owner.touch();
    removeEntry(cell, identity);
    if (cell.entries.size === 0) this.clear();
  }
  clear(): void {
    this.#owner.touch();
    this.#owner.current.values[this.#index] = undefined;
  }

  iterate(): IterableIterator<[unknown, unknown], undefined> {
    const { cell } = this;
    const identities = cell?.entries.keys();
    const next = (): IteratorResult<[unknown, unknown], undefined> => {
      for (let step = identities?.next(); step?.done === false; step = identities!.next()) {
        const entry = this.read(cell, step.value);
        if (entry) return { done: false, value: [entry.key, entry.value] };
      }
      return { done: true, value: undefined };
    };
    return {
      next,
      [Symbol.iterator]() {
        return this;
      },
    };
  }
}

/** An error names the state. */
function identityIn(what: string, key: unknown): unknown {
  try {
    return identityOf(key);
  } catch (error) {
    throw error instanceof SluiceError ? new SluiceError(error.code, `${what}: ${error.message}`) : error;
  }
}
/**
 * The identity of a primitive is itself. The identity of any other key is a text that no string key
 * can have.
 */
function identityOf(key: unknown): unknown {
  if (typeof key === 'string') return key.startsWith('\0') ? `\0s${key}` : key;
  if (isPrimitive(key)) {
    assertKeyValue(key);
    return key;
  }
  return `\0${keyText([key])}`;
}

/** 0 and −0 are one key. */
function withoutSign(key: unknown): unknown {
  return key === 0 ? 0 : key;
}

// ------------------------------------------------------------------------------------------ expiry

function noteExpiry(cell: MapCell, entry: TimedEntry): void {
  if (cell.queue) cell.queue.note(entry, entry.expiresAt);
  else makeQueue(cell);
}
function makeQueue(cell: MapCell): void {
  if (cell.entries.size <= fewEntries) return;
  cell.queue = new ExpiryQueue<TimedEntry>();
  for (const each of cell.entries.values()) cell.queue.note(each as TimedEntry, each.expiresAt);
}
function removeEntry({ entries, queue }: MapCell, identity: unknown): void {
  if (queue) queue.forget(entries.get(identity) as TimedEntry);
  entries.delete(identity);
}

/** Removes expired entries, within the budget. */
export function dropExpiredEntries({ entries, queue }: MapCell, now: number, budget: Budget): void {
  if (queue)
    return queue.look(now, budget, ({ identity, expiresAt }) => {
      if (expiresAt > now) return expiresAt;
      entries.delete(identity);
      return Infinity;
    });
  budget.left -= entries.size;
  for (const [identity, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(identity);
}
/** When the first entry expires, or earlier. */
export function firstEntryExpiry({ entries, queue }: MapCell): number {
  if (queue) return queue.nextTime;
  let first = Infinity;
  for (const { expiresAt } of entries.values()) first = Math.min(first, expiresAt);
  return first;
}

export function savedMap({ entries }: MapCell, { ttlMillis }: StateSpec): SavedMap {
  if (ttlMillis === undefined) return entries;
  const saved: SavedMap = new Map();
  for (const [identity, { key, value, expiresAt }] of entries) saved.set(identity, { key, value, expiresAt });
  return saved;
}
export function restoredMap(entries: SavedMap, { ttlMillis }: StateSpec): MapCell {
  const cell: MapCell = { entries };
  if (ttlMillis === undefined) return cell;
  for (const [identity, { key, value, expiresAt }] of entries)
    entries.set(identity, { key, value, expiresAt, identity, lookAt: Infinity, place: -1 } as TimedEntry);
  makeQueue(cell);
  return cell;
}
/** Adds an entry of a snapshot, behind those that the map has. */
export function restoreEntry({ entries }: MapCell, key: unknown, value: unknown): void {
  entries.set(identityOf(key), { key, value, expiresAt: Infinity });
}
