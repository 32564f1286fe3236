// Sends events to the control thread. An event that cannot be copied is never lost without a word.
//
// Rows are checked before they are sent, so this happens only when a getter changes, or when the
// check does not know an object, such as an array with a function as a property. The rows that
// cannot be copied are found by halving; copies of the others are sent. A run whose result cannot
// be copied fails. Any other event ends the thread, and the error names the event.
import { messageOf } from '../../engine/errors/thrown.ts';
import { cutText } from '../protocol/display-cut.ts';
import type { ExecutorEvent } from './executor-protocol.ts';
import { placeText, type RecordPlace, recordText } from './record.ts';
import { type RefusedOf, rowNotShown, type RowRefused } from './refused-rows.ts';
import { uncopiedPart } from './uncopied-part.ts';

/** `sourceAbove`: the name of the source above an instance. */
export function eventPoster(
  send: (event: ExecutorEvent) => void,
  sourceAbove: (instance: string) => string | undefined,
): (event: ExecutorEvent) => void {
  return (event) => {
    try {
      send(event);
    } catch (error) {
      for (const smaller of withoutObstacle(event, reasonOf(error), sourceAbove)) send(smaller);
    }
  };
}

function withoutObstacle(
  event: ExecutorEvent,
  reason: string,
  sourceAbove: (instance: string) => string | undefined,
): readonly ExecutorEvent[] {
  switch (event.kind) {
    case 'display-rows': {
      const { sent, refused } = divided(event.rows);
      const { display, instance } = event;
      const of = { cell: display.slice(0, display.lastIndexOf('/')), display, instance, source: sourceAbove(instance) };
      const report = reportOf(of, refused.length, refused[0]?.value, reason, refused[0]);
      // The next look at the open windows has their rows again.
      const { open, ...rest } = event;
      return [...report, { ...rest, rows: sent, leftOut: refused.length, ...(open && isCopied(open) && { open }) }];
    }
    case 'pull-rows': {
      const { sent, refused } = divided(event.rows);
      const report = reportOf({ cell: event.cell, display: `pull ${event.pull}` }, refused.length, refused[0], reason);
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

/** Copies of rows that can be copied, and rows that cannot, in their order. */
export function divided<Row>(rows: readonly Row[]): {
  readonly sent: readonly Row[];
  readonly refused: readonly Row[];
} {
  // A getter may throw at its next reading. The copy has none.
  const sent = copyOf(rows);
  if (sent) return { sent, refused: [] };
  if (rows.length === 1) return { sent: [], refused: rows };
  const middle = rows.length >> 1;
  const [first, second] = [divided(rows.slice(0, middle)), divided(rows.slice(middle))];
  return { sent: [...first.sent, ...second.sent], refused: [...first.refused, ...second.refused] };
}

function copyOf<Value>(value: Value): Value | undefined {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}
function isCopied(value: unknown): boolean {
  return value === undefined || copyOf(value) !== undefined;
}

function reportOf(
  { cell, display, instance, source }: RefusedOf,
  count: number,
  first: unknown,
  reason: string,
  place: RecordPlace = {},
): readonly RowRefused[] {
  if (count === 0) return [];
  const error = rowNotShown(uncopiedPart(first) ?? `The row changed while it was read: ${reason}.`, cell);
  const record = placeText(place, source) + recordText(first);
  return [{ kind: 'row-refused', cell, display, count, ...(instance !== undefined && { instance }), error, record }];
}

function reasonOf(error: unknown): string {
  const message = cutText(messageOf(error), 1000);
  return (message === '' ? 'it cannot be copied' : message).replace(/\.$/, '');
}
