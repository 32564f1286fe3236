// List state of a process function: values in the order in which they were added, each with its own
// time to live.
//
// As in Flink: the time to live of an element starts when it is added (or the list is set). With
// refresh 'read-write', a read of the list renews all its remaining elements.
import type { ListState } from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import { deepFreeze } from './freeze.ts';
import { described } from '../values/kind.ts';
import { assertStorable, refuseUndefined } from '../values/storable.ts';
import type { Budget } from './expiry-queue.ts';
import type { CurrentKey } from './value-state.ts';
import type { StateSpec } from '../graph/state-spec.ts';

/** The list of one key. An empty list is not kept. */
export interface ListCell {
  items: unknown[];
  /** When each expires; absent without a time to live. */
  expiresAt?: number[];
  /** Items in front of this place have expired. They are let go when they are the larger part. */
  from?: number;
  /**
   * An item expires before one in front of it, because a clock was set back or an edit has made the
   * time to live shorter. All items are looked at when the list has this length.
   */
  sweepAt?: number;
}
/** What a snapshot has of a list. */
export type SavedList = Pick<ListCell, 'items' | 'expiresAt'>;

/**
 * The value of `ctx.state.name`. It always refers to the current key. A loop sees the list as it
 * was when the loop began.
 */
export function listState(
  owner: CurrentKey,
  index: number,
  { ttlMillis, refresh }: StateSpec,
  what: string,
  freeze: boolean,
): ListState<unknown> {
  const check = (value: unknown): unknown => {
    refuseUndefined(value, what);
    assertStorable(value, what);
    if (freeze) deepFreeze(value);
    return value;
  };
  const newCell = (items: unknown[]): ListCell => {
    if (ttlMillis === undefined) return { items };
    const at = owner.now() + ttlMillis;
    owner.expires?.(at, items.length);
    return { items, expiresAt: new Array<number>(items.length).fill(at), from: 0 };
  };
  const put = (cell: ListCell | undefined): void => {
    owner.touch();
    owner.current.values[index] = cell;
  };
  return {
    add(value) {
      const item = check(value);
      const cell = owner.current.values[index] as ListCell | undefined;
      if (!cell) return put(newCell([item]));
      owner.touch();
      cell.items.push(item);
      if (ttlMillis === undefined) return;
      const now = owner.now();
      addExpiry(cell, now + ttlMillis, now);
      owner.expires?.(now + ttlMillis);
    },
    set(values) {
      if (typeof (values as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== 'function')
        throw new SluiceError('not-iterable', `${what} was set to ${described(values)}. Set it to an iterable.`);
      const items = Array.from(values, check);
      put(items.length > 0 ? newCell(items) : undefined);
    },
    clear: () => put(undefined),
    [Symbol.iterator]() {
      let cell = owner.current.values[index] as ListCell | undefined;
      if (cell?.expiresAt) {
        const now = owner.now();
        if (hasExpired(cell, now)) {
          owner.touch();
          dropExpiredItems(cell, now, { left: Infinity });
          if (cell.sweepAt !== undefined) sweep(cell, now);
          if (isEmpty(cell)) put((cell = undefined));
        }
        if (cell && refresh === 'read-write') put((cell = newCell(cell.items.slice(cell.from))));
      }
      return new ItemsAsOfNow(cell?.items ?? [], cell?.from ?? 0);
    },
  };
}

/**
 * Iterates up to the length at the start of the loop, so that a loop may add to the list it reads.
 */
class ItemsAsOfNow implements IterableIterator<unknown> {
  readonly #items: readonly unknown[];
  readonly #length: number;
  #at: number;
  constructor(items: readonly unknown[], from: number) {
    this.#items = items;
    this.#length = items.length;
    this.#at = from;
  }
  next(): IteratorResult<unknown> {
    return this.#at < this.#length ? { done: false, value: this.#items[this.#at++] } : { done: true, value: undefined };
  }
  [Symbol.iterator](): this {
    return this;
  }
}

// ------------------------------------------------------------------------------------------ expiry
//
// Items expire in the order in which they were added, so a look at what expires visits the front
// of the list. An item that expires before one in front of it is removed together with that one,
// or earlier: when the list is read, and when it has become twice as long.

/** A list that is shorter is not looked through for items behind those that live longer. */
const fewItems = 64;

/** When the item at the front expires. No item is removed before that. */
export function firstItemExpiry({ expiresAt, from = 0 }: ListCell): number {
  return expiresAt?.[from] ?? Infinity;
}
export function isEmpty({ items, from = 0 }: ListCell): boolean {
  return from >= items.length;
}

/** Removes expired items at the front, within the budget. */
export function dropExpiredItems(cell: ListCell, now: number, budget: Budget): void {
  const { expiresAt } = cell;
  if (!expiresAt) return;
  let { from = 0 } = cell;
  while (budget.left > 0 && from < expiresAt.length && expiresAt[from]! <= now) {
    from++;
    budget.left--;
  }
  cell.from = from;
  // One copy for as many items as have expired. A loop that has begun goes on with the former list.
  if (2 * from <= expiresAt.length) return;
  cell.items = cell.items.slice(from);
  cell.expiresAt = expiresAt.slice(from);
  cell.from = 0;
}

function addExpiry(cell: ListCell, at: number, now: number): void {
  const { expiresAt = [], items } = cell;
  if (expiresAt.length > 0 && at < expiresAt.at(-1)!) cell.sweepAt ??= 2 * items.length + fewItems;
  expiresAt.push(at);
  if (cell.sweepAt !== undefined && items.length >= cell.sweepAt) sweep(cell, now);
}
function hasExpired(cell: ListCell, now: number): boolean {
  return firstItemExpiry(cell) <= now || (cell.sweepAt !== undefined && cell.expiresAt!.some((at) => at <= now));
}
/** Removes all expired items, wherever they are. */
function sweep(cell: ListCell, now: number): void {
  const { items, expiresAt = [], from = 0 } = cell;
  const isAlive = (_: unknown, at: number): boolean => at >= from && expiresAt[at]! > now;
  cell.items = items.filter(isAlive);
  cell.expiresAt = expiresAt.filter(isAlive);
  cell.from = 0;
  noteOrder(cell);
}
function noteOrder(cell: ListCell): void {
  const { expiresAt } = cell;
  if (expiresAt?.some((at, index) => index > 0 && at < expiresAt[index - 1]!))
    cell.sweepAt = 2 * expiresAt.length + fewItems;
  else delete cell.sweepAt;
}

export function savedList({ items, expiresAt, from = 0 }: ListCell): SavedList {
  const live = from === 0 ? items : items.slice(from);
  return expiresAt ? { items: live, expiresAt: expiresAt.slice(from) } : { items: live };
}
export function restoredList({ items, expiresAt }: SavedList): ListCell {
  if (!expiresAt) return { items };
  const cell: ListCell = { items, expiresAt, from: 0 };
  noteOrder(cell);
  return cell;
}
