// What compiled text does with each function literal it evaluates at its top level: says what it captures, and gives back the name that being wrapped cost it.
import { annotateFunction } from '../../engine/graph/fingerprint.ts';

export function annotateLiteral<F extends object>(literal: F, captured: () => readonly unknown[], name?: string): F {
  const value: object = literal;
  if (name !== undefined && typeof value === 'function' && value.name === '')
    Object.defineProperty(value, 'name', { value: name, configurable: true });
  return annotateFunction(literal, captured);
}
