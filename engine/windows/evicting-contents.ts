// The contents of windows with an evictor: every element with its timestamp. The window function
// runs on the elements that the evictor leaves.
import type { Contents } from '../aggregates/accumulators.ts';
import type { Keyed } from '../state/keyed.ts';
import { assertStorable } from '../values/storable.ts';
import type { KeyRow } from '../state/keys.ts';
import type { Elements, Evictor } from './evictor.ts';

/** The contents of a window function. */
export interface FunctionContents<A extends Keyed> extends Contents<A> {
  /**
   * Contents without elements, for a window function when an evictor has left none. Absent: no
   * result then.
   */
  readonly empty?: (this: void, row: KeyRow) => A;
}
/**
 * The contents that a window operator needs. `Contents` satisfies this: it ignores the timestamp.
 */
export interface WindowContents<A extends Keyed> extends Omit<Contents<A>, 'create' | 'add' | 'copy'> {
  readonly create: (this: void, row: KeyRow, touched: number, element: unknown, timestamp: number) => A;
  readonly add: (this: void, accumulated: A, element: unknown, timestamp: number) => void;
  /** All elements have been evicted. */
  readonly isGone?: (this: void, accumulated: A) => boolean;
}
/** `result` returns this when there is no result. */
export const nothing: unique symbol = Symbol('no result');

export interface Kept extends Keyed, Elements {}

/** `name` is the operator in errors. */
export function evictingContents<A extends Keyed>(
  inner: FunctionContents<A>,
  { after, evict }: Evictor,
  name: string,
): WindowContents<Kept> {
  const what = `An element in a window of "${name}"`;
  const accumulated = ({ row, elements }: Kept): A | undefined => {
    if (elements.length === 0) return inner.empty?.(row);
    const result = inner.create(row, 0, elements[0]);
    for (let i = 1; i < elements.length; i++) inner.add(result, elements[i]);
    return result;
  };
  return {
    columns: ['elements', 'timestamps'],
    create(row, touched, element, timestamp) {
      assertStorable(element, what);
      return { row, written: 0, savedBytes: 0, touched, elements: [element], timestamps: [timestamp] };
    },
    add({ elements, timestamps }, element, timestamp) {
      assertStorable(element, what);
      elements.push(element);
      timestamps.push(timestamp);
    },
    merge(into, { elements, timestamps }) {
      for (const element of elements) into.elements.push(element);
      for (const timestamp of timestamps) into.timestamps.push(timestamp);
    },
    result(kept, windowStart, windowEnd) {
      if (!after) evict(kept);
      const left = accumulated(kept);
      const result = left === undefined ? nothing : inner.result(left, windowStart, windowEnd);
      if (after) evict(kept);
      return result;
    },
    isGone: ({ elements }) => elements.length === 0,
    pack: ({ elements, timestamps }) => [elements, timestamps],
    unpack: (row, touched, [elements, timestamps]) => ({
      row,
      written: 0,
      savedBytes: 0,
      touched,
      elements: elements as unknown[],
      timestamps: timestamps as number[],
    }),
  };
}
