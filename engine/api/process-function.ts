// The object literal that `process` takes, as parameters of a node: its state and its methods, each in the slot of its name.
import { SluiceError } from '../errors/error.ts';
import type { Json } from '../graph/plan.ts';
import { closestName } from '../errors/closest-name.ts';
import { describe, userMethod, type Parameters } from './parameters.ts';
import { stateParameters } from './state.ts';

/** `required` are the methods that must be there; `onTimer` may be. */
export function processParameters(f: unknown, required: readonly string[]): { parameters: Parameters; shape: Json } {
  if (f === null || typeof f !== 'object')
    throw new SluiceError('not-a-function', `process() takes { state, ${required.join(', ')} }, not ${describe(f)}.`);
  const known = [...required, 'onTimer'];
  // Methods of other names are the user's own, but one that looks like a callback would never be called.
  for (const name of Object.keys(f))
    if (/^on[A-Z]/.test(name) && !known.includes(name))
      throw new SluiceError(
        'unknown-option',
        `process() never calls "${name}". Closest: "${closestName(name, known) ?? known[0]}".`,
      );
  const { state: declared, onTimer } = f as { state?: unknown; onTimer?: unknown };
  const { parameters: state, shape } = stateParameters(declared);
  const slots = onTimer === undefined ? required : known;
  const methods = Object.fromEntries(slots.map((slot) => [slot, userMethod('process()', f, slot)]));
  return { parameters: { state, ...methods }, shape };
}
