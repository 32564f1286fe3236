// The states that a process function declares (value, list or map), as its context shows them:
// read-write or read-only.
import { SluiceError } from '../errors/error.ts';
import type { Budget } from './expiry-queue.ts';
import {
  dropExpiredItems,
  firstItemExpiry,
  isEmpty,
  type ListCell,
  listState,
  restoredList,
  savedList,
  type SavedList,
} from './list-state.ts';
import {
  dropExpiredEntries,
  firstEntryExpiry,
  type MapCell,
  mapState,
  restoredMap,
  savedMap,
  type SavedMap,
} from './map-state.ts';
import { type CurrentKey, type Values, valueState } from './value-state.ts';
import type { StateSpec, StateSpecs } from '../graph/state-spec.ts';

/**
 * `state` of a context: the states by name, always of the owner's current key. `operator` is the
 * user's name for the operator.
 */
export function declaredStates(
  owner: CurrentKey,
  specs: StateSpecs,
  operator: string,
  freeze: boolean,
  sort = 'State',
): Record<string, object> {
  const states = Object.entries(specs).map(([name, spec], index) => {
    const what = `${sort} "${name}" of "${operator}"`;
    return [name, access(spec)(owner, index, spec, what, freeze)] as const;
  });
  return Object.fromEntries(states);
}
function access({ kind }: StateSpec): (...given: Parameters<typeof valueState>) => object {
  switch (kind) {
    case 'value':
      return valueState;
    case 'list':
      return listState;
    case 'map':
      return mapState;
  }
}

const reading: Readonly<Record<StateSpec['kind'], readonly string[]>> = {
  value: ['get'],
  list: [],
  map: ['get', 'has'],
};
const writing: Readonly<Record<StateSpec['kind'], readonly string[]>> = {
  value: ['set', 'clear'],
  list: ['add', 'set', 'clear'],
  map: ['set', 'delete', 'clear'],
};

/** The same states in read-only form. `refusal` makes the error message of a write. */
export function readOnlyStates(
  states: Readonly<Record<string, object>>,
  specs: StateSpecs,
  refusal: (name: string, call: string) => string,
): Record<string, object> {
  const readable = Object.entries(states).map(([name, state]) => {
    const { kind } = specs[name]!;
    const calls = state as Record<PropertyKey, unknown>;
    const refuse = (call: string) => (): never => {
      throw new SluiceError('read-only-state', refusal(name, call));
    };
    const shown: Record<PropertyKey, unknown> = {};
    for (const call of reading[kind]) shown[call] = calls[call];
    for (const call of writing[kind]) shown[call] = refuse(call);
    if (Symbol.iterator in calls) shown[Symbol.iterator] = calls[Symbol.iterator];
    return [name, shown] as const;
  });
  return Object.fromEntries(readable);
}

/** When the first value of the key expires; Infinity: none does. It may have expired already. */
export function firstExpiry({ values, expiresAt }: Values, specs: readonly StateSpec[]): number {
  let first = Infinity;
  specs.forEach(({ kind, ttlMillis }, index) => {
    const value = values[index];
    if (value !== undefined && ttlMillis !== undefined)
      first = Math.min(first, expiryOf(kind, value, expiresAt![index]!));
  });
  return first;
}
function expiryOf(kind: StateSpec['kind'], value: unknown, expiresAt: number): number {
  switch (kind) {
    case 'value':
      return expiresAt;
    case 'list':
      return firstItemExpiry(value as ListCell);
    case 'map':
      return firstEntryExpiry(value as MapCell);
  }
}

/**
 * Removes expired values, within the budget. If it is enough, all expire later than now afterwards.
 */
export function dropExpired(
  { values, expiresAt }: Values,
  specs: readonly StateSpec[],
  now: number,
  budget: Budget,
): void {
  specs.forEach(({ kind, ttlMillis }, index) => {
    const value = values[index];
    if (value === undefined || ttlMillis === undefined) return;
    switch (kind) {
      case 'value':
        if (expiresAt![index]! <= now) values[index] = undefined;
        break;
      case 'list':
        dropExpiredItems(value as ListCell, now, budget);
        if (isEmpty(value as ListCell)) values[index] = undefined;
        break;
      case 'map':
        dropExpiredEntries(value as MapCell, now, budget);
        if ((value as MapCell).entries.size === 0) values[index] = undefined;
        break;
    }
  });
}

/** What a snapshot has of a value, a list or a map. */
export function savedValue(value: unknown, spec: StateSpec): unknown {
  if (value === undefined) return undefined;
  switch (spec.kind) {
    case 'value':
      return value;
    case 'list':
      return savedList(value as ListCell);
    case 'map':
      return savedMap(value as MapCell, spec);
  }
}
export function restoredValue(saved: unknown, spec: StateSpec): unknown {
  if (saved === undefined) return undefined;
  switch (spec.kind) {
    case 'value':
      return saved;
    case 'list':
      return restoredList(saved as SavedList);
    case 'map':
      return restoredMap(saved as SavedMap, spec);
  }
}
