// Checkpoints and restarts as clients see them.
import { kinds } from '../../engine/graph/kinds.ts';
import type { PlanNode } from '../../engine/graph/plan.ts';
import type { SessionView } from '../protocol/messages.ts';
import { readSavedSession } from './saved-session.ts';
import { isArmed } from './armed-sinks.ts';
import type { Cell, Session } from './state.ts';

/** Whether a checkpoint has something of the cell. `own`: its operators. */
export function isKept(session: Session, cell: Cell, own: readonly PlanNode[]): boolean {
  return own.some(({ kind, shape }) => {
    const { role } = kinds[kind];
    return role === 'source' || shape !== '' || (role === 'sink' && isArmed(session, cell));
  });
}

type Durability = Pick<SessionView, 'checkpoints' | 'offered' | 'resumedFrom' | 'restarting'>;

export function durability({ checkpoints, restarts }: Session): Durability {
  const { isStored, completed, failed, last, history, offered, resumedFrom } = checkpoints;
  const newest = history.at(-1);
  const first = restarts.outage?.first;
  return {
    ...(isStored && {
      checkpoints: {
        ...{ completed, failed },
        ...(last && { last: { id: last.id, takenAt: last.takenAt, bytes: last.bytes, millis: last.millis } }),
        ...(newest && 'failed' in newest && { problem: newest.failed }),
      },
    }),
    ...(offered && {
      offered: { takenAt: offered.takenAt, lost: readSavedSession(offered.saved).lost, skipped: offered.skipped },
    }),
    ...(resumedFrom !== undefined && { resumedFrom }),
    ...(restarts.startsAt !== undefined &&
      first && {
        restarting: {
          ...{ startsAt: restarts.startsAt, attempt: restarts.failures.length },
          ...{ cell: first.cell, cause: first.error.message },
        },
      }),
  };
}
