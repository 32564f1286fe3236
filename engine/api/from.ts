// from(): the elements of an array, an iterable or an async iterable.
import { SluiceError } from '../errors/error.ts';
import { hash } from 'node:crypto';
import { hashValue } from '../graph/fingerprint.ts';
import type { Builder } from './builder.ts';
import { valueBytes } from '../values/value-writer.ts';
import { positiveNumber, readOptions } from './options.ts';
import { describe, UserFunction } from './parameters.ts';
import { PlannedStream, streamOf } from './stream.ts';
import { sourceOptionNames, timeParameters } from './time-options.ts';

export function declareFrom<T>(builder: Builder, elements: unknown, given: unknown): PlannedStream<T> {
  if (elements instanceof PlannedStream)
    throw new SluiceError('not-iterable', 'from() was given a stream. A stream needs no from(): use it as it is.');
  const options = readOptions('from()', given, sourceOptionNames);
  const { rate } = options;
  const isSync = isIterable(elements, Symbol.iterator);
  const isAsync = !isSync && isIterable(elements, Symbol.asyncIterator);
  if (!isSync && !isAsync)
    throw new SluiceError(
      'not-iterable',
      `from() takes an array, an iterable or an async iterable, not ${describe(elements)}.`,
    );
  const replayable = isSync && canIterateAgain(elements as Iterable<unknown>);
  const fn = new UserFunction(
    'elements',
    () => elements,
    (fallback) => {
      // A job is evaluated only once, so nothing compares its elements with earlier ones.
      if (builder.settings.group === '') return hashValue(['job', isAsync, replayable]);
      // A one-time iterator cannot be hashed before it is read. The hash of the cell's captures
      // replaces its elements.
      return replayable ? hashElements(elements, fallback) : hashValue(['once', isAsync, fallback]);
    },
  );
  const draft = builder.declare({
    verb: 'from',
    kind: 'from',
    parameters: {
      elements: { fn },
      isAsync,
      replayable,
      ...(rate !== undefined && { rate: positiveNumber('The rate of from()', rate) }),
      ...timeParameters('from()', options, builder.settings.idlenessMillis),
    },
    id: options['id'],
    name: options['name'],
  });
  return streamOf(draft);
}

function isIterable(value: unknown, symbol: symbol): boolean {
  if (value === null || value === undefined) return false;
  return typeof (value as Record<symbol, unknown>)[symbol] === 'function';
}

/**
 * Whether each of its iterators starts from the beginning. A generator does not: it is its own
 * iterator.
 */
function canIterateAgain(elements: Iterable<unknown>): boolean {
  return Array.isArray(elements) || (elements[Symbol.iterator]() as unknown) !== elements;
}

/**
 * Arrays of data may be large, and serialising is five times faster than hashing value by value.
 */
function hashElements(elements: unknown, fallback: string | undefined): string {
  if (Array.isArray(elements)) {
    try {
      return hashValue(hash('sha256', valueBytes(elements), 'base64url'));
    } catch {
      // The elements contain functions, or themselves.
    }
  }
  return hashValue(elements, fallback);
}
