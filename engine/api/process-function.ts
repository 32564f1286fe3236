// The object literal for `process` as parameters of a node: its state and its methods, each in the
// slot with its name.
import { SluiceError } from '../errors/error.ts';
import type { StateAndTimer } from '../graph/parameters.ts';
import type { Json } from '../graph/spec.ts';
import { closestName } from '../errors/closest-name.ts';
import { describe, type UserFunction, userMethod } from './parameters.ts';
import { stateParameters } from './state.ts';

/** The methods in `required` must exist; `onTimer` is optional. */
export function processParameters<Method extends string>(
  f: unknown,
  required: readonly Method[],
): { parameters: StateAndTimer<UserFunction> & Readonly<Record<Method, UserFunction>>; shape: Json } {
  if (f === null || typeof f !== 'object')
    throw new SluiceError('not-a-function', `process() takes { state, ${required.join(', ')} }, not ${describe(f)}.`);
  const known = [...required, 'onTimer'];
  // The user may add methods with other names. A method that looks like a callback, but is none,
  // would never be called.
  for (const name of Object.keys(f))
    if (/^on[A-Z]/.test(name) && !known.includes(name))
      throw new SluiceError(
        'unknown-option',
        `process() never calls "${name}". Closest: "${closestName(name, known) ?? known[0]}".`,
      );
  const { state: declared, onTimer } = f as { state?: unknown; onTimer?: unknown };
  const { parameters: state, shape } = stateParameters(declared);
  const methods = Object.fromEntries(required.map((slot) => [slot, userMethod('process()', f, slot)])) as Record<
    Method,
    UserFunction
  >;
  return {
    parameters: { state, ...methods, ...(onTimer !== undefined && { onTimer: userMethod('process()', f, 'onTimer') }) },
    shape,
  };
}
