// What a process function keeps of one key: values and timers. This is also its saved form.
import type { StateSpec } from '../graph/state-spec.ts';
import { dropExpired, firstExpiry, savedValue } from '../state/declared-state.ts';
import type { Budget, Expiring } from '../state/expiry-queue.ts';
import type { Keyed } from '../state/keyed.ts';
import type { KeyRow } from '../state/keys.ts';
import type { Values } from '../state/value-state.ts';

/** The state of one key. */
export interface Entry extends Keyed, Values, Expiring {
  /**
   * Identity of the key. The row is not enough: with two inputs its labels are those of the side
   * that saw the key first.
   */
  readonly tuple: readonly unknown[];
  eventTimers: Set<number>;
  processingTimers: Set<number>;
}
/** What is saved of a key. */
export type Content = readonly [
  /** By name: if the user adds a state, the others are still found. */
  values: Readonly<Record<string, unknown>>,
  expiresAt: Readonly<Record<string, number>> | undefined,
  eventTimers: readonly number[],
  processingTimers: readonly number[],
];
export const columns = ['values', 'expiresAt', 'eventTimers', 'processingTimers'];

/**
 * The timers of a key that never had one. Most keys of most operators have none, and two sets would
 * be most of the memory of such a key. Never add to this set.
 */
export const noTimers = new Set<number>();

/** `names`: of the states. */
export function newEntry(row: KeyRow, tuple: readonly unknown[], names: readonly string[], hasTtl: boolean): Entry {
  return {
    row,
    tuple,
    written: 0,
    savedBytes: 0,
    touched: 0,
    lookAt: Infinity,
    place: -1,
    values: names.map(() => undefined),
    ...(hasTtl && { expiresAt: names.map(() => Infinity) }),
    eventTimers: noTimers,
    processingTimers: noTimers,
  };
}

/** Number of values and timers of the key. */
export function liveOf(entry: Entry): number {
  let live = entry.eventTimers.size + entry.processingTimers.size;
  for (const value of entry.values) if (value !== undefined) live++;
  return live;
}

/**
 * Removes what has expired, within the budget; returns when the key expires next. `touch` comes
 * before the change.
 */
export function expired(
  entry: Entry,
  specs: readonly StateSpec[],
  now: number,
  budget: Budget,
  touch: () => void,
): number {
  const first = firstExpiry(entry, specs);
  if (first > now) return first;
  touch();
  dropExpired(entry, specs, now, budget);
  return firstExpiry(entry, specs);
}

/** The saved form of a key. */
export function contentOf(names: readonly string[], specs: readonly StateSpec[], entry: Entry): Content {
  const { values, expiresAt, eventTimers, processingTimers } = entry;
  return [
    byName(
      names,
      values.map((value, index) => savedValue(value, specs[index]!)),
    ),
    expiresAt && (byName(names, expiresAt) as Record<string, number>),
    [...eventTimers],
    [...processingTimers],
  ];
}
function byName(names: readonly string[], column: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name, index) => (column[index] === undefined ? [] : [[name, column[index]]])),
  );
}
