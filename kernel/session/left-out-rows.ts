// Rows that displays have left out, because they cannot leave the executor's thread: how many, and
// the error of the first.
import { lineage } from '../../engine/graph/lineage.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type { ExecutorEvent } from '../executor/executor-protocol.ts';
import type { Emit } from './events.ts';
import { type LeftOutRows, type Session, withActive } from './state.ts';

/** The display goes on. Only the first row of each display is shown; the others are counted. */
export function rowRefused(s: Session, event: Extract<ExecutorEvent, { kind: 'row-refused' }>, emit: Emit): Session {
  const active = s.cells.get(event.cell)?.active;
  if (!active) return s;
  const { display, instance, error, record } = event;
  const leftOut = active.leftOut ?? [];
  const known = leftOut.find((one) => one.display === display);
  const first = known ?? { display, error, record, ...(instance !== undefined && { instance }), count: 0 };
  const counted = { ...first, count: first.count + event.count };
  if (!known) emit({ kind: 'show-errors', cell: event.cell });
  return withActive(s, event.cell, { leftOut: [...leftOut.filter((one) => one !== known), counted] });
}

/**
 * Rows that were left out are counted for a stream. A display that goes on with the same stream
 * keeps them, also when its cell ran again. `former` is the plan before the change.
 */
export function forgetLeftOut(session: Session, former: Plan, emit: Emit): Session {
  const counting = [...session.cells.values()].filter(({ active }) => active?.leftOut !== undefined);
  if (counting.length === 0) return session;
  const [before, now] = [lineage(former), lineage(session.plan)];
  const isSame = ({ instance }: LeftOutRows): boolean =>
    instance !== undefined && before.has(instance) && before.get(instance) === now.get(instance);
  let s = session;
  for (const { id, active } of counting) {
    const leftOut = active?.leftOut?.filter(isSame);
    if (leftOut?.length === active?.leftOut?.length) continue;
    s = withActive(s, id, { leftOut });
    emit({ kind: 'show-errors', cell: id });
  }
  return s;
}
