// iterate(): a body whose feedback goes round. In the plan a head and a tail, which name the same loop; there is no edge back.
import { SluiceError } from '../errors/error.ts';
import { builderFor, labelOf, type Draft, type Origin } from './builder.ts';
import { readOptions, wholeNumber } from './options.ts';
import { describe } from './parameters.ts';
import { PlannedStream, streamOf, type StreamPlace } from './stream.ts';
import type * as S from './surface.ts';

/**
 * Elements go through `body` and those of `feedback` go through it again, before new ones. Watermarks pass: elements on their way back may be late for windows
 * in the body, and only the end of the input waits until nothing goes round any more. With `maxRounds` an element goes through the body at most so many times;
 * what would go once more is dropped. Errors: `bad-iterate` when the body does not give two streams that come from the loop.
 */
export function declareIterate<T, R>(place: StreamPlace, body: unknown, options: unknown): S.Stream<R> {
  const { maxRounds } = readOptions('iterate()', options, ['maxRounds']);
  if (typeof body !== 'function')
    throw new SluiceError('bad-iterate', `iterate() takes the function that makes the body, not ${describe(body)}.`);
  const builder = builderFor('iterate', place.builder);
  const rounds = maxRounds === undefined ? undefined : wholeNumber('The maxRounds of iterate()', maxRounds);
  if (rounds === 0)
    throw new SluiceError('bad-option', 'The maxRounds of iterate() is 0: nothing would go through it.');
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
        `The body of iterate() must give { feedback, output }, two streams; its ${name} is ${describe(stream)}.`,
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
