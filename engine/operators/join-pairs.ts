// What a window gives to a join: each left element with each right one, left by left, in the order of arrival; made one by one, for there may be billions.
export type JoinKind = 'inner' | 'left' | 'outer';
export type Select2 = (left: unknown, right: unknown) => unknown;

const none: readonly unknown[] = [];

/** The rows of one key and window: pairs, or what has no partner when the kind asks for it. */
export function joinPairs(
  left: readonly unknown[],
  right: readonly unknown[],
  kind: JoinKind,
  select: Select2,
): Iterable<unknown> {
  if (left.length > 0 && right.length > 0) return new Pairs(left, right, select);
  if (left.length > 0) return kind === 'inner' ? none : new Pairs(left, alone, select);
  return kind === 'outer' ? new Pairs(alone, right, select) : none;
}

/** The partner of who has none. */
const alone = [undefined];

/** An iterator that can be left standing after any pair. Its result is one object, filled anew: nobody keeps it. */
class Pairs implements IterableIterator<unknown> {
  readonly #left: readonly unknown[];
  readonly #right: readonly unknown[];
  readonly #select: Select2;
  readonly #result: { done: boolean; value: unknown } = { done: false, value: undefined };
  #l = 0;
  #r = 0;
  constructor(left: readonly unknown[], right: readonly unknown[], select: Select2) {
    this.#left = left;
    this.#right = right;
    this.#select = select;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<unknown> {
    const result = this.#result;
    if (this.#l === this.#left.length) {
      result.done = true;
      result.value = undefined;
      return result as IteratorResult<unknown>;
    }
    const select = this.#select;
    result.value = select(this.#left[this.#l], this.#right[this.#r]);
    if (++this.#r === this.#right.length) {
      this.#r = 0;
      this.#l++;
    }
    return result as IteratorResult<unknown>;
  }
}
