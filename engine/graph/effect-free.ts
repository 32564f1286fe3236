// Functions of the user's that may be called once more without anybody noticing. The compiler knows
// them by their text; what they capture is looked at when they are to be called.
import type { Captured } from './fingerprint.ts';

const capturedBy = new WeakMap<object, Captured>();

export function markEffectFree(fn: object, captured: Captured): void {
  capturedBy.set(fn, captured);
}

/**
 * The compiler has marked it, and it captures only primitives: to read a field of an object may run
 * a getter or a Proxy.
 */
export function isEffectFree(fn: unknown): boolean {
  const captured = typeof fn === 'function' ? capturedBy.get(fn) : undefined;
  if (captured === undefined) return false;
  try {
    return captured().every((value) => value === null || (typeof value !== 'object' && typeof value !== 'function'));
  } catch {
    // A constant that is not initialised yet.
    return false;
  }
}
