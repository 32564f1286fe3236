// The inputs of the test kit, declared in a builder. Only the test emits elements into them.
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { toEndpoint } from './builder.ts';
import type { Endpoint } from './fragment.ts';
import { PlannedPatternResult, PlannedStream, PlannedWindowResult, streamOf } from './stream.ts';
import type { Stream } from './surface.ts';

export function inputStream(builder: Builder, index: number): Stream<unknown> {
  return streamOf(builder.declare({ verb: 'input', kind: 'harnessInput', parameters: { index } }));
}

/** The endpoint of the rows of the stream under test, and its side outputs. */
export function originOf(
  stream: unknown,
  builder: Builder,
): { readonly endpoint: Endpoint; readonly ports: readonly string[] } {
  if (!(stream instanceof PlannedStream) || stream.place.builder !== builder)
    throw new SluiceError(
      'foreign-stream',
      'The function given to the harness must return a stream made from its input.',
    );
  return { endpoint: toEndpoint(stream.place.origin), ports: portsOf(stream) };
}

/** The side outputs of the stream. */
function portsOf(stream: PlannedStream<unknown>): readonly string[] {
  if (stream instanceof PlannedPatternResult) return ['late', 'timedOut'];
  return stream instanceof PlannedWindowResult ? ['late'] : [];
}
