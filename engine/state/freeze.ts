// Freezing for the test kit: elements and state are values to read, and a change throws instead of being shared by accident.
import type { Batch } from '../contract/operator.ts';
import { kindOf } from '../values/kind.ts';

/** Freezes plain objects and arrays all the way down. The insides of Date, Map, Set and bytes cannot be frozen. */
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
