// Streams that another cell reads. They are referred to by the name of their variable, so a re-run
// of their cell moves the edge.
import { toEndpoint } from './builder.ts';
import type { Endpoint } from './fragment.ts';
import { PlannedBroadcastStream } from './broadcast.ts';
import { PlannedGroupedTable } from './grouped-table.ts';
import { PlannedKeyedStream } from './keyed-stream.ts';
import { PlannedStream } from './stream.ts';
import { PlannedTable } from './table.ts';
import { PlannedWindowedStream } from './windowed-stream.ts';

export type StreamLike =
  | PlannedStream<unknown>
  | PlannedKeyedStream<unknown, unknown>
  | PlannedWindowedStream<unknown, unknown>
  | PlannedBroadcastStream<unknown>
  | PlannedTable<unknown, unknown>
  | PlannedGroupedTable<unknown, unknown>;

/** A value with an endpoint in the dataflow, which an edge can follow. */
export function isStreamLike(value: unknown): value is StreamLike {
  return (
    value instanceof PlannedStream ||
    value instanceof PlannedKeyedStream ||
    value instanceof PlannedWindowedStream ||
    value instanceof PlannedBroadcastStream ||
    value instanceof PlannedTable ||
    value instanceof PlannedGroupedTable
  );
}

/**
 * The place where its records can be read. For keyed and windowed streams, the keyBy node. For
 * groups of a table, the table.
 */
export function endpointOf(value: unknown): Endpoint | undefined {
  return isStreamLike(value) ? toEndpoint(value.place.origin) : undefined;
}

/**
 * The same kind of stream, read from the present value of `variable` of `group`. Other values are
 * returned unchanged.
 */
export function reference<V>(value: V, group: string, variable: string): V {
  if (!isStreamLike(value)) return value;
  const origin: Endpoint = { group, variable, port: 'out' };
  const Same = value.constructor as new (place: unknown) => V;
  return new Same({ ...value.place, origin, builder: undefined });
}

/**
 * The endpoint of a reference {group, variable, port} when the variable holds a stream at `held`.
 * 'out' is the stream itself; any other port is a side output of it.
 */
export function follow(reference: Endpoint, held: Endpoint): Endpoint {
  return reference.port === 'out' ? held : { ...held, port: reference.port };
}
