// The result of a window join: pairs each left element with each right one, in the order of
// arrival, left side outermost. Pairs are made one by one, because there may be billions.
import { RowLoop } from '../contract/emission.ts';
import type { JoinKind } from '../graph/join-spec.ts';
import type { Output } from '../contract/operator.ts';

export type Select2 = (left: unknown, right: unknown) => unknown;

const none: readonly unknown[] = [];
/** The missing side of an outer join. */
const alone: readonly unknown[] = [undefined];

/**
 * The pairs of one key and window at a time. One object serves all windows, because all rows of one
 * window are emitted before the next window's rows.
 */
export class JoinPairs extends RowLoop {
  readonly #kind: JoinKind;
  readonly #select: Select2;
  #left = none;
  #right = none;
  #l = 0;
  #r = 0;
  constructor(kind: JoinKind, select: Select2) {
    super();
    this.#kind = kind;
    this.#select = select;
  }
  /**
   * Starts with the pairs of these lists, or with the elements without a partner if the kind of
   * join includes them.
   */
  of(left: readonly unknown[], right: readonly unknown[]): this {
    this.#left = left.length > 0 || this.#kind !== 'outer' ? left : alone;
    this.#right = right.length > 0 || this.#kind === 'inner' ? right : alone;
    this.#l = 0;
    this.#r = 0;
    return this;
  }
  drain(output: Output, timestamp: number): boolean {
    const left = this.#left;
    const right = this.#right;
    const select = this.#select;
    let l = this.#l;
    let r = this.#r;
    for (; l < left.length; l++) {
      const element = left[l];
      for (; r < right.length; r++) {
        output.emit(select(element, right[r]), timestamp);
        if (!output.full) continue;
        this.#l = l;
        this.#r = r + 1;
        return false;
      }
      r = 0;
    }
    // Release the lists: there may be no next window.
    this.#left = none;
    this.#right = none;
    return true;
  }
}
