// Why nothing comes from instances any more: what they read has failed, or runs no longer.
import { reached } from '../../engine/graph/walk.ts';
import type { Flow } from './flow.ts';
import type { Session } from './state.ts';

/**
 * A sentence, if no source reaches any of the instances without passing an operator that failed.
 * undefined: records may still come.
 */
export function whyStopped(session: Session, flow: Flow, instances: readonly string[]): string | undefined {
  const failed = failedOperators(session);
  const read = [...reached(instances, (id) => (failed.has(id) ? [] : flow.inputsOf(id)))];
  if (read.some((id) => flow.isSource(id) && !failed.has(id))) return undefined;
  const cause = read.find((id) => failed.has(id));
  return cause === undefined ? `its input has stopped${causeOf(session, flow, instances)}` : failed.get(cause);
}

function failedOperators({ cells }: Session): ReadonlyMap<string, string> {
  return new Map(
    [...cells.values()].flatMap(({ id, active }) =>
      (active?.failures ?? []).flatMap(({ instance, name, partitions }) =>
        instance === undefined || partitions ? [] : [[instance, `${name} of cell ${id} has failed`] as const],
      ),
    ),
  );
}

/** The stopped cell whose stream the cell of these instances reads, if it reads it itself. */
function causeOf({ cells }: Session, flow: Flow, instances: readonly string[]): string {
  const readers = new Set(instances.flatMap((id) => flow.reportById.get(id)?.cell ?? []));
  for (const { id, active } of cells.values())
    for (const { name } of active?.stopped === true ? active.exports : [])
      if ([...readers].some((reader) => cells.get(reader)?.active?.captured[name] === 'stream'))
        return `: ${name} of cell ${id}`;
  return '';
}
