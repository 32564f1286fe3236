// A savepoint that takes its time: what it waits for, and since when.
import type { Session } from './state.ts';
import { timeAsText } from './reasons.ts';

/** Most savepoints are there before. */
const soonMillis = 2_000;

/** A sentence without its full stop. undefined: none waits. */
export function waitingSavepoint(
  session: Session,
  { now, zone }: { readonly now: number; readonly zone?: string },
): string | undefined {
  const [first] = session.checkpoints.savepoints;
  if (!first || now - first.at < soonMillis) return undefined;
  return `the savepoint waits since ${timeAsText(first.at, now, zone)} for ${waitedFor(session)}`;
}

function waitedFor({ metrics, executor }: Session): string {
  const [sink] = metrics?.leavingSinks ?? [];
  if (sink) {
    const rows = `${sink.rows.toLocaleString('en-US')} ${sink.rows === 1 ? 'row' : 'rows'}`;
    return `"${sink.name}" of cell "${sink.cell}", which has still to write ${rows}${because(sink.waiting)}`;
  }
  const waits = metrics?.snapshotWaits;
  if (!waits) return executor === 'ready' ? 'the next checkpoint' : 'the thread of the cells, which starts again';
  const report = metrics.operators.find(
    ({ cell, name, status }) => cell === waits.cell && waits.operator.includes(name) && status?.waiting !== undefined,
  );
  return `"${waits.operator}" of cell "${waits.cell}"${because(report?.status?.waiting)}`;
}
function because(waiting: string | undefined): string {
  return waiting === undefined ? '' : `: ${waiting}`;
}
