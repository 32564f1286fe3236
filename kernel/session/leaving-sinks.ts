// A sink that an edit has replaced while its target took no rows. Its rows are kept, and the cell
// says what the edit waits for.
import type { LeavingSink } from '../executor/waits.ts';
import { asText } from './reasons.ts';
import type { Session } from './state.ts';

function sinksOf({ metrics }: Session, cell: string): readonly LeavingSink[] {
  return (metrics?.leavingSinks ?? []).filter((sink) => sink.cell === cell);
}

export function notesOfLeaving(session: Session, cell: string): readonly string[] {
  const sinks = sinksOf(session, cell);
  if (sinks.length === 0) return [];
  return [
    `the sink of before the change has still to write ${rowsOf(sinks)}, and no checkpoint is complete before that. ` +
      'To give them up, delete the cell',
  ];
}
function rowsOf(sinks: readonly LeavingSink[]): string {
  const count = sinks.reduce((sum, { rows }) => sum + rows, 0);
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`;
}
/** They are in no checkpoint, so they end with the session. */
export function reasonOfEnd(reason: string, { metrics }: Session): string {
  const sinks = metrics?.leavingSinks ?? [];
  if (sinks.length === 0) return reason;
  const names = [...new Set(sinks.map(({ name }) => `"${name}"`))].join(', ');
  return `${reason} Sinks of before a change had still to write ${rowsOf(sinks)}, of ${names}.`;
}
export function troublesOfLeaving(
  session: Session,
  cell: string,
  { now, zone }: { readonly now: number; readonly zone?: string },
): readonly string[] {
  return sinksOf(session, cell).flatMap(({ waiting, waitingSince }) => {
    if (waiting === undefined) return [];
    return [asText(waitingSince === undefined ? [waiting] : [`${waiting}; since `, { time: waitingSince }], now, zone)];
  });
}
