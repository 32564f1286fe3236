// iterate(): a body with feedback. The plan has a head and a tail with the name of the same loop;
// it has no edge back.
import { SluiceError } from '../errors/error.ts';
import { builderFor, labelOf, type Draft, type Origin } from './builder.ts';
import { readOptions, wholeNumber } from './options.ts';
import { describe } from './parameters.ts';
import { PlannedStream, streamOf, type StreamPlace } from './stream.ts';
import type * as S from './surface.ts';

/**
 * Elements pass `body`, and the elements of `feedback` pass it again, before new ones. Watermarks
 * pass too, so elements of the feedback may be late for windows in the body. Only the end of the
 * input waits until no element is in the loop. With `maxRounds` an element passes the body at most
 * that many times, and is then dropped. Error: `bad-iterate` when the body does not return two
 * streams that come from the loop.
 */
export function declareIterate<T, R>(place: StreamPlace, body: unknown, options: unknown): S.Stream<R> {
  const { maxRounds } = readOptions('iterate()', options, ['maxRounds']);
  if (typeof body !== 'function')
    throw new SluiceError('bad-iterate', `iterate() takes the function that makes the body, not ${describe(body)}.`);
  const builder = builderFor('iterate', place.builder);
  const rounds = maxRounds === undefined ? undefined : wholeNumber('The maxRounds of iterate()', maxRounds);
  if (rounds === 0)
    throw new SluiceError('bad-option', 'The maxRounds of iterate() is 0: no element would pass the body.');
  const parameters = { loop: '', ...(rounds !== undefined && { maxRounds: rounds }) };
  const head = builder.declare({
    verb: 'iterate',
    kind: 'iterateHead',
    about: 'head',
    parameters,
    shape: [],
    inputs: [{ from: place.origin }],
  });
  parameters.loop = head.uid;
  const given: unknown = (body as (loop: S.Stream<T>) => unknown)(streamOf<T>(head));
  const { feedback, output } = (given ?? {}) as Record<string, unknown>;
  const from = (name: string, stream: unknown): Origin => {
    if (!(stream instanceof PlannedStream))
      throw new SluiceError(
        'bad-iterate',
        `The body of iterate() must return { feedback, output }, two streams; its ${name} is ${describe(stream)}.`,
      );
    const { origin } = stream.place;
    if (!comesFrom(origin, head))
      throw new SluiceError(
        'bad-iterate',
        `The ${name} of iterate() is "${labelOf(origin)}", which does not come from the loop. Build it on the stream that the body is given.`,
      );
    return origin;
  };
  return streamOf(
    builder.declare({
      verb: 'iterate',
      kind: 'iterateTail',
      parameters,
      shape: [],
      inputs: [{ from: from('output', output) }, { from: from('feedback', feedback), input: 1 }],
    }),
  );
}

function comesFrom(origin: Origin, head: Draft): boolean {
  if (!('draft' in origin)) return false;
  if (origin.draft === head) return true;
  return (origin.draft.declaration.inputs ?? []).some(({ from }) => comesFrom(from, head));
}
