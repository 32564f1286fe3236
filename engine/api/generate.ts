// generate(): record n is a function of (seed, start, n).
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { positiveNumber, readOptions, wholeNumber } from './options.ts';
import { describe, userFunction } from './parameters.ts';
import { streamOf, type PlannedStream } from './stream.ts';
import { sourceOptionNames, timeParameters } from './time-options.ts';

export function declareGenerate<T>(builder: Builder, given: unknown, next: unknown): PlannedStream<T> {
  if (typeof given === 'function')
    throw new SluiceError('bad-option', 'generate() takes its options first, then the function: generate({}, next).');
  const options = readOptions('generate()', given, [...sourceOptionNames, 'seed', 'limit']);
  const { rate, seed = 0, limit } = options;
  if (typeof seed !== 'number' || !Number.isSafeInteger(seed))
    throw new SluiceError('bad-option', `The seed of generate() is a whole number, not ${describe(seed)}.`);
  const draft = builder.declare({
    verb: 'generate',
    kind: 'generate',
    parameters: {
      ...(rate !== undefined && { rate: positiveNumber('The rate of generate()', rate) }),
      seed,
      ...(limit !== undefined && { limit: wholeNumber('The limit of generate()', limit) }),
      next: { fn: userFunction('generate()', 'next', next) },
      ...timeParameters('generate()', options, builder.settings.idlenessMillis),
    },
    // Start and n stay when the function changes. At another rate, record n would have another
    // time.
    shape: [(rate as number | undefined) ?? null],
    id: options['id'],
    name: options['name'],
  });
  return streamOf(draft);
}
