// from(): the elements of an array, an iterable or an async iterable.
import { SluiceError } from '../error.ts';
import { hashValue } from '../graph/fingerprint.ts';
import type { Builder } from './builder.ts';
import { readOptions } from './options.ts';
import { describe, UserFunction } from './parameters.ts';
import { streamOf, type PlannedStream } from './stream.ts';
import { timeOptionNames, timeParameters } from './time-options.ts';

export function declareFrom<T>(builder: Builder, elements: unknown, given: unknown): PlannedStream<T> {
  const options = readOptions('from()', given, timeOptionNames);
  const isSync = isIterable(elements, Symbol.iterator);
  const isAsync = !isSync && isIterable(elements, Symbol.asyncIterator);
  if (!isSync && !isAsync)
    throw new SluiceError(
      'not-iterable',
      `from() takes an array, an iterable or an async iterable, not ${describe(elements)}.`,
    );
  const replayable = isSync && canIterateAgain(elements as Iterable<unknown>);
  // An iterator that is used up as it is read says nothing about what it will give: what the cell captures stands for it.
  const fn = new UserFunction(
    'elements',
    () => elements,
    (fallback) => hashValue(replayable ? elements : ['once', isAsync, fallback]),
  );
  const draft = builder.declare({
    verb: 'from',
    kind: 'from',
    parameters: {
      elements: { fn },
      isAsync,
      replayable,
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

/** Each of its iterators starts anew: it is not its own iterator, as generators are. */
function canIterateAgain(elements: Iterable<unknown>): boolean {
  return Array.isArray(elements) || (elements[Symbol.iterator]() as unknown) !== elements;
}
