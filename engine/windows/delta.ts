// The difference of two elements by the user's delta function.
import { SluiceError } from '../errors/error.ts';
import { described } from '../values/kind.ts';

/** Throws unless the value is a number. `name` is the operator, for the error. */
export function deltaOf(value: unknown, name: string): number {
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  throw new SluiceError(
    'bad-value',
    `The delta function of "${name}" gave ${described(value)}. It must give a number, the difference of two elements.`,
  );
}
