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
import type { CurrentKey } from './value-state.ts';
import type { StateSpec } from '../graph/state-spec.ts';

/** The list of one key. An empty list is not kept. */
export interface ListCell {
  items: unknown[];
  /** When each expires; absent without a time to live. */
  expiresAt?: number[];
}

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
    owner.expires?.(at);
    return { items, expiresAt: new Array<number>(items.length).fill(at) };
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
      const at = owner.now() + ttlMillis;
      cell.expiresAt?.push(at);
      owner.expires?.(at);
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
        const alive = withoutExpiredItems(cell, now);
        if (alive !== cell) put((cell = alive));
        if (cell && refresh === 'read-write') put((cell = newCell(cell.items)));
      }
      return new ItemsAsOfNow(cell?.items ?? []);
    },
  };
}

/**
 * Iterates up to the length at the start of the loop, so that a loop may add to the list it reads.
 */
class ItemsAsOfNow implements IterableIterator<unknown> {
  readonly #items: readonly unknown[];
  readonly #length: number;
  #at = 0;
  constructor(items: readonly unknown[]) {
    this.#items = items;
    this.#length = items.length;
  }
  next(): IteratorResult<unknown> {
    return this.#at < this.#length ? { done: false, value: this.#items[this.#at++] } : { done: true, value: undefined };
  }
  [Symbol.iterator](): this {
    return this;
  }
}

export function firstItemExpiry({ expiresAt = [] }: ListCell): number {
  return expiresAt.reduce((first, at) => Math.min(first, at), Infinity);
}

/** The same cell when nothing has expired, undefined when nothing is left. */
export function withoutExpiredItems(cell: ListCell, now: number): ListCell | undefined {
  const { items, expiresAt } = cell;
  if (!expiresAt?.some((at) => at <= now)) return cell;
  const isAlive = (_: unknown, at: number): boolean => expiresAt[at]! > now;
  const alive = items.filter(isAlive);
  return alive.length > 0 ? { items: alive, expiresAt: expiresAt.filter(isAlive) } : undefined;
}
