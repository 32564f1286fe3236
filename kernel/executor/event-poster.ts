// Sends events to the control thread. An event that cannot be copied is never lost without a word.
//
// Rows are checked before they are sent, so this happens only when a getter throws at its second
// reading, or when the check does not know an object. The rows that cannot be copied are found by
// halving; the others are sent. A run whose result cannot be copied fails. Any other event ends the
// thread, and the error names the event.
import type { ExecutorEvent } from './executor-protocol.ts';
import { recordText } from './record.ts';
import { rowNotShown, type RowRefused } from './refused-rows.ts';

export function eventPoster(send: (event: ExecutorEvent) => void): (event: ExecutorEvent) => void {
  return (event) => {
    try {
      send(event);
    } catch (error) {
      for (const smaller of withoutObstacle(event, messageOf(error))) send(smaller);
    }
  };
}

function withoutObstacle(event: ExecutorEvent, reason: string): readonly ExecutorEvent[] {
  switch (event.kind) {
    case 'display-rows': {
      const { sent, refused } = divided(event.rows);
      const { display } = event;
      const cell = display.slice(0, display.lastIndexOf('/'));
      const report = reportOf(cell, display, refused, refused[0]?.value, reason);
      return [...report, { ...event, rows: sent, leftOut: refused.length }];
    }
    case 'pull-rows': {
      const { sent, refused } = divided(event.rows);
      const report = reportOf(event.cell, `pull ${event.pull}`, refused, refused[0], reason);
      return [...report, { ...event, rows: sent, leftOut: refused.length }];
    }
    case 'evaluated': {
      const part = (['fragment', 'exports', 'displayed', 'kept'] as const).find((name) => !isCopied(event[name]));
      const message = `What the cell leaves cannot be sent to the session (${part ?? 'its result'}): ${reason}.`;
      return [{ kind: 'evaluation-failed', run: event.run, error: { code: 'not-sent', message } }];
    }
    default:
      throw new Error(`the event "${event.kind}" of the executor cannot be sent: ${reason}`);
  }
}

/** Rows that can be copied, and rows that cannot, in their order. */
export function divided<Row>(rows: readonly Row[]): {
  readonly sent: readonly Row[];
  readonly refused: readonly Row[];
} {
  if (isCopied(rows)) return { sent: rows, refused: [] };
  if (rows.length === 1) return { sent: [], refused: rows };
  const middle = rows.length >> 1;
  const [first, second] = [divided(rows.slice(0, middle)), divided(rows.slice(middle))];
  return { sent: [...first.sent, ...second.sent], refused: [...first.refused, ...second.refused] };
}

function isCopied(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function reportOf(
  cell: string,
  display: string,
  { length: count }: readonly unknown[],
  first: unknown,
  reason: string,
): readonly RowRefused[] {
  if (count === 0) return [];
  const error = rowNotShown(`${reason}.`, cell);
  return [{ kind: 'row-refused', cell, display, count, error, record: recordText(first) }];
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : typeof error;
  return (message === '' ? 'it cannot be copied' : message).replace(/\.$/, '');
}
