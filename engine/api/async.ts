// Options of mapAsync as plan data.
import { SluiceError } from '../errors/error.ts';
import { parseDuration } from '../time/duration.ts';
import type { DeclaredParameters } from './builder.ts';
import { oneOf, positiveNumber, readOptions, wholeNumber } from './options.ts';
import { awaitedFunction, describe } from './parameters.ts';
import type * as S from './surface.ts';

type ArgumentsOf<F> = F extends (...given: infer A) => unknown ? A : never;
export type MapAsyncOptions = NonNullable<ArgumentsOf<S.Stream<unknown>['mapAsync']>[1]>;

export function mapAsyncParameters(f: unknown, given: unknown): DeclaredParameters<'mapAsync'> {
  const options = readOptions('mapAsync()', given, ['capacity', 'ordered', 'timeout', 'retries', 'onError']);
  const { capacity = 100, ordered = true, timeout = '30s', retries = 0, onError = 'fail' } = options;
  if (wholeNumber('The capacity of mapAsync()', capacity) === 0)
    throw new SluiceError('bad-option', 'The capacity of mapAsync() is 0: no call would ever be made.');
  if (typeof ordered !== 'boolean')
    throw new SluiceError('bad-option', `ordered of mapAsync() is true or false, not ${describe(ordered)}.`);
  const timeoutMillis = parseDuration(timeout, 'The timeout of mapAsync()');
  return {
    fn: awaitedFunction('mapAsync()', 'fn', f),
    capacity: capacity as number,
    ordered,
    timeoutMillis: positiveNumber('The timeout of mapAsync()', timeoutMillis),
    retries: wholeNumber('The retries of mapAsync()', retries),
    onError: oneOf('onError of mapAsync()', onError, ['fail', 'drop']),
  };
}
