// Registers with each function literal that compiled text evaluates at its top level the values
// that it captures.
// The call around a literal hides the name that JavaScript would infer, so the name is set here.
import { markEffectFree } from '../../engine/graph/effect-free.ts';
import { annotateFunction } from '../../engine/graph/fingerprint.ts';

/** `isEffectFree`: see effect-free.ts. */
export function annotateLiteral<F extends object>(
  literal: F,
  captured: () => readonly unknown[],
  name?: string,
  isEffectFree = false,
): F {
  if (isEffectFree) markEffectFree(literal, captured);
  const value: object = literal;
  if (name !== undefined && typeof value === 'function' && value.name === '')
    Object.defineProperty(value, 'name', { value: name, configurable: true });
  return annotateFunction(literal, captured);
}
