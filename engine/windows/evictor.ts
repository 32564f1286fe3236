// Drops elements of a window when it fires: Flink's evictors. An evictor sees all elements in the
// order of arrival.
import type { FunctionRef } from '../graph/spec.ts';
import { deltaOf } from './delta.ts';
import type { EvictorSpec } from '../graph/window-spec.ts';

/** Elements with their timestamps, by the same index. */
export interface Elements {
  elements: unknown[];
  timestamps: number[];
}
export interface Evictor {
  /** True: it runs after the window function instead of before. */
  readonly after: boolean;
  readonly evict: (this: void, kept: Elements) => void;
}

export function evictorOf(
  spec: EvictorSpec,
  resolve: (fn: FunctionRef) => (...given: never[]) => unknown,
  name: string,
): Evictor {
  const { after } = spec;
  switch (spec.kind) {
    case 'count':
      return { after, evict: (kept) => keepLast(kept, spec.n) };
    case 'time':
      return { after, evict: (kept) => keepSince(kept, spec.keepMillis) };
    case 'delta': {
      const delta = resolve(spec.delta) as (element: unknown, last: unknown) => unknown;
      return { after, evict: (kept) => keepNear(kept, spec.threshold, (a, b) => deltaOf(delta(a, b), name)) };
    }
  }
}

function keepLast(kept: Elements, n: number): void {
  const from = kept.elements.length - n;
  if (from <= 0) return;
  kept.elements = kept.elements.slice(from);
  kept.timestamps = kept.timestamps.slice(from);
}
/** Keeps the elements that are less than `keepMillis` older than the newest one. */
function keepSince(kept: Elements, keepMillis: number): void {
  const { timestamps } = kept;
  const newest = timestamps.reduce((latest, time) => Math.max(latest, time), -Infinity);
  keepWhere(kept, (index) => timestamps[index]! > newest - keepMillis);
}
/** Keeps the elements whose difference from the last element is below the threshold. */
function keepNear(kept: Elements, threshold: number, delta: (element: unknown, last: unknown) => number): void {
  const { elements } = kept;
  const last = elements.at(-1);
  keepWhere(kept, (index) => delta(elements[index], last) < threshold);
}
function keepWhere(kept: Elements, isKept: (index: number) => boolean): void {
  const { elements, timestamps } = kept;
  const stays = elements.map((_, index) => isKept(index));
  kept.elements = elements.filter((_, index) => stays[index]);
  kept.timestamps = timestamps.filter((_, index) => stays[index]);
}
