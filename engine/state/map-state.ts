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

interface MapEntry {
  readonly key: unknown;
  value: unknown;
  /** Infinity without a time to live. */
  expiresAt: number;
}
/** The map of one key, by the identity of its own keys. An empty map is not kept. */
export type MapCell = Map<unknown, MapEntry>;

/** The value of `ctx.state.name`. It always refers to the current key. */
export function mapState(
  owner: CurrentKey,
  index: number,
  { ttlMillis = Infinity, refresh }: StateSpec,
  what: string,
  freeze: boolean,
): MapState<unknown, unknown> {
  const cellNow = (): MapCell | undefined => owner.current.values[index] as MapCell | undefined;
  const identify = (key: unknown): unknown => {
    try {
      return identityOf(key);
    } catch (error) {
      throw error instanceof SluiceError ? new SluiceError(error.code, `${what}: ${error.message}`) : error;
    }
  };
  const remove = (cell: MapCell, identity: unknown): void => {
    if (!cell.delete(identity)) return;
    if (cell.size === 0) owner.current.values[index] = undefined;
    owner.touch();
  };
  /** The entry, if it has not expired. This renews it if `refresh` says so. */
  const read = (cell: MapCell | undefined, identity: unknown): MapEntry | undefined => {
    const entry = cell?.get(identity);
    if (!entry || entry.expiresAt === Infinity) return entry;
    const now = owner.now();
    if (entry.expiresAt <= now) {
      remove(cell!, identity);
      return undefined;
    }
    if (refresh === 'read-write') {
      entry.expiresAt = now + ttlMillis;
      owner.touch();
    }
    return entry;
  };
  return {
    get: (key) => read(cellNow(), identify(key))?.value,
    has: (key) => read(cellNow(), identify(key)) !== undefined,
    set(key, value) {
      const identity = identify(key);
      refuseUndefined(value, what);
      assertStorable(value, what);
      if (freeze) {
        deepFreeze(key);
        deepFreeze(value);
      }
      const cell: MapCell = cellNow() ?? new Map<unknown, MapEntry>();
      const now = owner.now();
      const entry = cell.get(identity);
      if (entry && entry.expiresAt > now) {
        entry.value = value;
        entry.expiresAt = now + ttlMillis;
      } else {
        cell.delete(identity);
        cell.set(identity, { key: key === 0 ? 0 : key, value, expiresAt: now + ttlMillis });
      }
      owner.current.values[index] = cell;
      owner.touch();
    },
    delete(key) {
      const cell = cellNow();
      if (cell) remove(cell, identify(key));
      else identify(key);
    },
    clear() {
      owner.current.values[index] = undefined;
      owner.touch();
    },
    [Symbol.iterator]() {
      const cell = cellNow();
      const identities = cell?.keys();
      return {
        next(): IteratorResult<[unknown, unknown], undefined> {
          for (let step = identities?.next(); step?.done === false; step = identities!.next()) {
            const entry = read(cell, step.value);
            if (entry) return { done: false, value: [entry.key, entry.value] };
          }
          return { done: true, value: undefined };
        },
        [Symbol.iterator]() {
          return this;
        },
      };
    },
  };
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

/** Removes expired entries; returns whether there were any. */
export function dropExpiredEntries(cell: MapCell, now: number): boolean {
  const { size } = cell;
  for (const [identity, { expiresAt }] of cell) if (expiresAt <= now) cell.delete(identity);
  return cell.size < size;
}
