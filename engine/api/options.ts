// Checks the options of a call by name and range. In a notebook a type error does not stop the run,
// so an unknown option must be an error here.
import { closestName } from '../errors/closest-name.ts';
import { SluiceError } from '../errors/error.ts';
import { describe } from './parameters.ts';

/** The options as a record of unknown values. Refuses a name that is not an option of the call. */
export function readOptions(
  where: string,
  options: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (options === undefined) return {};
  if (options === null || typeof options !== 'object' || Array.isArray(options))
    throw new SluiceError('bad-option', `The options of ${where} are an object, not ${describe(options)}.`);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const closest = closestName(name, known);
    throw new SluiceError(
      'unknown-option',
      `${where} has no option "${name}". ${closest === undefined ? `It has ${known.join(', ')}.` : `Closest: "${closest}".`}`,
    );
  }
  return options as Record<string, unknown>;
}

export const integerForms = ['bigint', 'text', 'number'] as const;

export function positiveNumber(what: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value))
    throw new SluiceError('bad-option', `${what} is a number above 0, not ${describe(value)}.`);
  return value;
}

export function wholeNumber(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new SluiceError('bad-option', `${what} is a whole number, 0 or more, not ${describe(value)}.`);
  return value;
}

export function text(what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw new SluiceError('bad-option', `${what} is a text, not ${value === '' ? 'an empty one' : describe(value)}.`);
  return value;
}

export function oneOf<V extends string>(what: string, value: unknown, allowed: readonly V[]): V {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new SluiceError(
      'bad-option',
      `${what} is one of ${allowed.map((name) => `"${name}"`).join(', ')}, not ${describe(value)}.`,
    );
  return found;
}
