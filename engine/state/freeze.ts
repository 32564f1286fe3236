// Freezes elements and state for the test kit, so that a mutation throws instead of changing shared
// data.
import type { Batch } from '../contract/operator.ts';
import { kindOf } from '../values/kind.ts';

/**
 * Freezes plain objects and arrays recursively. The content of Date, Map, Set and bytes cannot be
 * frozen.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const kind = kindOf(value);
  if (kind !== 'object' && kind !== 'array') return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

export function freezeElements(batch: Batch, from: number): void {
  for (let i = from; i < batch.length; i++) deepFreeze(batch.values[i]);
}
