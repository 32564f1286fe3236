// The contents of windows with an evictor: every element with its timestamp, and what the window function makes of those that are left when it fires.
import type { Contents } from '../aggregates/accumulators.ts';
import type { Keyed } from '../state/changed-groups.ts';
import { assertStorable } from '../values/storable.ts';
import type { KeyRow } from '../state/keys.ts';
import type { Elements, Evictor } from './evictor.ts';

/** What a window function makes of elements. */
export interface FunctionContents<A extends Keyed> extends Contents<A> {
  /** No element at all: what a window function is given when an evictor has left none. Absent: then it gives nothing. */
  readonly empty?: (this: void, row: KeyRow) => A;
}
/** What a window operator asks of what it keeps; contents that look at no timestamp will do. */
export interface WindowContents<A extends Keyed> extends Omit<Contents<A>, 'create' | 'add' | 'copy'> {
  readonly create: (this: void, row: KeyRow, touched: number, element: unknown, timestamp: number) => A;
  readonly add: (this: void, accumulated: A, element: unknown, timestamp: number) => void;
  /** All there was has been evicted. */
  readonly isGone?: (this: void, accumulated: A) => boolean;
}
/** There is no result. */
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
    columns: 2,
    create(row, touched, element, timestamp) {
      assertStorable(element, what);
      return { row, group: -1, touched, elements: [element], timestamps: [timestamp] };
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
    pack({ elements, timestamps }, columns) {
      columns[0]!.push(elements.slice());
      columns[1]!.push(timestamps.slice());
    },
    unpack: (row, touched, columns, index) => ({
      row,
      group: -1,
      touched,
      elements: (columns[0]![index] as unknown[]).slice(),
      timestamps: (columns[1]![index] as number[]).slice(),
    }),
  };
}
