// What a window gives to a join: each left element with each right one, left by left, in the order of arrival; made one by one, for there may be billions.
import { RowLoop } from '../contract/emission.ts';
import type { JoinKind } from '../graph/join-spec.ts';
import type { Output } from '../contract/operator.ts';

export type Select2 = (left: unknown, right: unknown) => unknown;

const none: readonly unknown[] = [];
/** The partner of who has none. */
const alone: readonly unknown[] = [undefined];

/** The pairs of one key and window after the other: one object serves all, since the rows of one are out before the next ones are asked for. */
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
  /** Pairs, or what has no partner when the kind asks for it. */
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
    // Nothing is kept alive for want of a next window.
    this.#left = none;
    this.#right = none;
    return true;
  }
}
