// view(): several displays as one.
import { SluiceError } from '../errors/error.ts';
import { PlannedDisplay, tableSpec } from './displays.ts';
import type { DisplaySpec } from './fragment.ts';
import { describe } from './parameters.ts';
import { PlannedStream } from './stream.ts';
import type * as S from './surface.ts';
import { PlannedTable } from './table.ts';

export const view: typeof S.view = (...displays) => {
  const parts = displays.map(displayOf);
  return new PlannedDisplay(() => ({ kind: 'view', parts: parts.map((part) => part.spec) }));
};

function displayOf(value: unknown): PlannedDisplay {
  if (value instanceof PlannedDisplay) return value;
  if (value instanceof PlannedStream) return new PlannedDisplay(tableSpec(value.place));
  if (value instanceof PlannedTable) return value.show() as PlannedDisplay;
  throw new SluiceError('bad-display', `view() takes displays, streams and tables, not ${describe(value)}.`);
}

/**
 * The display for the last expression of a cell: a display itself, or a stream or table as a table
 * view. undefined for any other value.
 */
export function displaySpecOf(value: unknown): DisplaySpec | undefined {
  const isShown = value instanceof PlannedDisplay || value instanceof PlannedStream || value instanceof PlannedTable;
  return isShown ? displayOf(value).spec : undefined;
}
