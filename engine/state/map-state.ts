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
import type { CurrentKey } from './value-state.ts';
import type { StateSpec } from '../graph/state-spec.ts';

export interface MapEntry {
  readonly key: unknown;
  readonly value: unknown;
  /** Infinity without a time to live. */
  expiresAt: number;
}
/** The map of one key, by the identity of its own keys. An empty map is not kept. */
export type MapCell = Map<unknown, MapEntry>;

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
    const entry = cell?.get(identity);
    if (!entry || entry.expiresAt === Infinity) return entry;
    const now = this.#owner.now();
    if (entry.expiresAt <= now) {
      this.remove(cell!, identity);
      return undefined;
    }
    if (this.#renewsOnRead) {
      this.#owner.touch();
      entry.expiresAt = now + this.#ttlMillis;
    }
    return entry;
  }
  set(identity: unknown, key: unknown, value: unknown): void {
    const cell: MapCell = this.cell ?? new Map<unknown, MapEntry>();
    const now = this.#owner.now();
    const expiresAt = now + this.#ttlMillis;
    const entry = cell.get(identity);
    this.#owner.touch();
    if (entry && entry.expiresAt > now) {
      // Another object: a snapshot of broadcast state may still have to write the former one.
      cell.set(identity, { key: entry.key, value, expiresAt });
    } else {
      cell.delete(identity);
      cell.set(identity, { key: key === 0 ? 0 : key, value, expiresAt });
    }
    this.#owner.expires?.(expiresAt);
    this.#write(cell);
  }
  remove(cell: MapCell, identity: unknown): void {
    if (!cell.has(identity)) return;
    this.#owner.touch();
    cell.delete(identity);
    if (cell.size === 0) this.clear();
  }
  clear(): void {
    this.#write(undefined);
  }
  #write(cell: MapCell | undefined): void {
    this.#owner.touch();
    this.#owner.current.values[this.#index] = cell;
  }

  iterate(): IterableIterator<[unknown, unknown], undefined> {
    const { cell } = this;
    const identities = cell?.keys();
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

/** Adds an entry of a snapshot, behind those that the map has. */
export function restoreEntry(cell: MapCell, key: unknown, value: unknown): void {
  cell.set(identityOf(key), { key, value, expiresAt: Infinity });
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

export function dropExpiredEntries(cell: MapCell, now: number): void {
  for (const [identity, { expiresAt }] of cell) if (expiresAt <= now) cell.delete(identity);
}
export function firstEntryExpiry(cell: MapCell): number {
  let first = Infinity;
  for (const { expiresAt } of cell.values()) first = Math.min(first, expiresAt);
  return first;
}
