// How the test kit's inputs look to the builders: streams that nothing feeds but the test.
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { toEndpoint } from './builder.ts';
import type { Endpoint } from './fragment.ts';
import { PlannedPatternResult, PlannedStream, PlannedWindowResult, streamOf } from './stream.ts';
import type { Stream } from './surface.ts';

export function inputStream(builder: Builder, index: number): Stream<unknown> {
  return streamOf(builder.declare({ verb: 'input', kind: 'harnessInput', parameters: { index } }));
}

/** Where the rows of the stream under test come out, and which side outputs it has. */
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

/** Side outputs that its result offers. */
function portsOf(stream: PlannedStream<unknown>): readonly string[] {
  if (stream instanceof PlannedPatternResult) return ['late', 'timedOut'];
  return stream instanceof PlannedWindowResult ? ['late'] : [];
}
