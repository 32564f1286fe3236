// view(): several displays as one. And the displays that an evaluation shows.
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { currentBuilder } from './builder.ts';
import { declareDisplay, PlannedDisplay, tableSpec } from './displays.ts';
import type { DisplaySpec } from './fragment.ts';
import { describe } from './parameters.ts';
import { PlannedStream } from './stream.ts';
import type * as S from './surface.ts';
import { PlannedTable } from './table.ts';

export const view: typeof S.view = (...displays) => {
  const parts = displays.map((display) => {
    const part = displayOf(display);
    if (part) return part;
    throw new SluiceError('bad-display', `view() takes displays, streams and tables, not ${describe(display)}.`);
  });
  const builder = currentBuilder();
  for (const part of parts) builder?.removeDisplay(part);
  return declareDisplay('view', undefined, () => ({ kind: 'view', parts: parts.map((part) => part.spec) }));
};

/** A display itself, or a stream or table as a table view. undefined for any other value. */
function displayOf(value: unknown): PlannedDisplay | undefined {
  if (value instanceof PlannedDisplay) return value;
  if (value instanceof PlannedStream) return new PlannedDisplay(tableSpec(value.place));
  if (value instanceof PlannedTable) return new PlannedDisplay(tableSpec({ ...value.place, isTable: true }));
  return undefined;
}

/** What an evaluation shows. */
export interface Shown {
  /**
   * Its displays in the order in which they were made. A last expression that is one is among them.
   */
  readonly parts: readonly DisplaySpec[];
  /** The last expression is shown by the parts. */
  readonly showsLast: boolean;
}

/**
 * `last` is the value of the last expression. A display that another cell has made is shown too.
 */
export function shownBy(builder: Builder, last: unknown): Shown {
  const shown = new Set(builder.displays);
  const own = displayOf(last);
  if (own) shown.add(own);
  // keys.map((key) => stream.filter(…).show())
  const isList = Array.isArray(last) && last.length > 0 && last.every((one) => shown.has(one as S.Display));
  return {
    parts: [...shown].map((display) => (display as PlannedDisplay).spec),
    showsLast: own !== undefined || isList,
  };
}
