// What clients see of a cell's sinks: whether they write, what they have written, and what would
// keep them from writing.
import { kinds } from '../../engine/graph/kinds.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { CellState } from '../protocol/messages.ts';
import { isArmed } from './armed-sinks.ts';
import { timeAsText } from './reasons.ts';
import type { Cell, Session } from './state.ts';

export function sinkStateOf(
  session: Session,
  cell: Cell,
  reports: readonly OperatorReport[],
  { now, zone }: { readonly now: number; readonly zone?: string },
): CellState['sink'] {
  const sinks = cell.active?.fragment.sinks ?? [];
  if (sinks.length === 0) return undefined;
  const statuses = reports.flatMap(({ kind, status }) => (kinds[kind].role === 'sink' && status ? [status] : []));
  const armed = isArmed(session, cell);
  const written = statuses.reduce((sum, { rowsWritten = 0 }) => sum + rowsWritten, 0);
  const acknowledged = Math.max(...statuses.map(({ writtenAt = -Infinity }) => writtenAt));
  const committing = statuses.filter(({ rowsCommitted }) => rowsCommitted !== undefined);
  const committed = committing.reduce((sum, { rowsCommitted = 0 }) => sum + rowsCommitted, 0);
  const since = Math.min(...committing.map(({ uncommittedSince = Infinity }) => uncommittedSince));
  const obstacles = new Set(statuses.flatMap(({ obstacle }) => obstacle ?? []));
  return {
    ...{ armed, target: sinks.map((sink) => sink.target).join(', ') },
    ...(armed && { written }),
    ...(armed && acknowledged > -Infinity && { acknowledged: timeAsText(acknowledged, now, zone) }),
    ...(armed && committing.length > 0 && { committed }),
    ...(armed && since < Infinity && { uncommittedSince: timeAsText(since, now, zone) }),
    ...(obstacles.size > 0 && { obstacle: [...obstacles].join('; ') }),
  };
}
