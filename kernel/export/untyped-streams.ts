// Streams whose rows have no type, so that Flink cannot know their fields. Each is named where its
// rows lose their type, not at every verb below.
import type ts from 'typescript';
import { untypedPath } from './row-types.ts';
import type { StreamType } from './stream-types.ts';

export interface UntypedStream {
  readonly call: ts.CallExpression;
  readonly code: 'untyped-rows';
  readonly severity: 'warning';
  readonly message: string;
}

export function untypedStreams(streams: readonly StreamType[]): readonly UntypedStream[] {
  return streams.flatMap(({ call, verb, input, ports }): UntypedStream[] => {
    const path = untypedPath(ports['out']!);
    if (path === undefined || (input && untypedPath(input) === path)) return [];
    const what = path === '' ? `The rows of ${verb}() have no type` : `${path} in the rows of ${verb}() has no type`;
    const message = `${what} that Flink knows, so it carries them as they are and cannot read their fields. Give ${wayOut(verb)}.`;
    return [{ call, code: 'untyped-rows', severity: 'warning', message }];
  });
}

function wayOut(verb: string): string {
  return verb === 'kafka' || verb === 'table' || verb === 'file'
    ? `the source a row type, like ${verb}<Row>()`
    : 'the function a result of plain data';
}
