// What a source asks of its reader: its parameters, and what an earlier reader has found.
import type { Connection } from '../../connections/connection.ts';
import type { NodeOf } from '../../graph/plan.ts';
import type { ReadRequest } from './reader-messages.ts';
import type { Split } from './split.ts';

const defaultDiscoveryMillis = 300_000;

export function readRequest(
  parameters: NodeOf<'kafka'>['parameters'],
  connection: Connection,
  found: { readonly known: readonly Split[]; readonly unresolved: readonly Split[]; readonly hasLooked: boolean },
): ReadRequest {
  const { topic, pattern, from, until, offsetReset, maxBatchBytes, tableKey, meta = false } = parameters;
  const { discoveryMillis = defaultDiscoveryMillis } = parameters;
  return {
    connection,
    topic,
    ...(pattern && { pattern }),
    discoveryMillis,
    from,
    until,
    offsetReset,
    maxBatchBytes,
    keys: tableKey !== undefined || meta,
    headers: meta,
    ...found,
  };
}
