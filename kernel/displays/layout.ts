// The parts of a cell's view, still without rows, made from what its run displays.
import type { DisplaySpec } from '../../engine/api/fragment.ts';
import { parseDuration } from '../../engine/time/duration.ts';
import type { Displayed } from '../executor/executor-protocol.ts';
import { partsOf, rowBounds, type RowSpec, streamName } from '../live/displayed.ts';
import type { Wire } from '../protocol/displays.ts';
import { markToVega, type AnyMark } from './mark-to-vega.ts';

const chartLastMillis = 5 * 60_000;

export interface RowLayout {
  readonly kind: 'table' | 'chart';
  readonly title: string;
  readonly limit: number;
  readonly lastMillis?: number;
  readonly key?: readonly string[];
  /** The rows are those of a table: they carry their key and can be removed. */
  readonly changes?: true;
  /** Beyond this rate rows are sampled: a person cannot see more. */
  readonly perSecond: number;
  /** The chart's spec. The first row is undefined until one has come. */
  readonly spec: (firstRow: Readonly<Record<string, unknown>> | undefined) => Readonly<Record<string, unknown>>;
}
export type PartLayout =
  | RowLayout
  | { readonly kind: 'backpressure' }
  | { readonly kind: 'value'; readonly text: string; readonly wire?: Wire };

/** Parts in the order of `partsOf`, so that the index is the part's number in DisplayInstall. */
export function layoutOf(displayed: Displayed): readonly PartLayout[] {
  if (displayed.kind === 'value') return [{ kind: 'value', text: displayed.text, wire: displayed.wire }];
  return partsOf(displayed).map(partLayout);
}

function partLayout(spec: DisplaySpec): PartLayout {
  switch (spec.kind) {
    case 'table':
      return { ...rowLayout(spec), kind: 'table', spec: () => ({}) };
    case 'chart':
      return { ...rowLayout(spec), kind: 'chart', ...lastMillis(spec), spec: chartSpec(spec) };
    case 'backpressure':
      return { kind: 'backpressure' };
    case 'view':
      throw new Error('A view inside a view is unfolded before it is laid out.');
  }
}

function rowLayout(spec: RowSpec): Pick<RowLayout, 'title' | 'limit' | 'perSecond' | 'key' | 'changes'> {
  const { key, changes } = spec;
  return { title: titleOf(spec), ...rowBounds(spec), key, ...(changes && { changes }) };
}

type ChartSpec = Extract<DisplaySpec, { kind: 'chart' }>;

function chartSpec({ mark, vega }: ChartSpec): RowLayout['spec'] {
  if (mark) return (row) => markToVega(mark as unknown as AnyMark, row);
  return () => ({ ...vega, data: { name: 'rows' } });
}

/** `last` is event time, or rows. A row of a table does not grow old by itself. */
function lastMillis({ mark, changes }: ChartSpec): Pick<RowLayout, 'lastMillis'> {
  const last = mark?.['last'];
  if (typeof last === 'number' || (last === undefined && changes)) return {};
  return { lastMillis: last === undefined ? chartLastMillis : parseDuration(last, 'The last of chart()') };
}

function titleOf(spec: RowSpec): string {
  const stream = streamName(spec.from);
  if (spec.kind === 'table') return stream;
  const { mark, vega } = spec;
  const given = mark?.['title'] ?? vega?.['title'];
  if (typeof given === 'string') return given;
  if (!mark) return stream;
  const { y, color } = mark as unknown as AnyMark;
  return color === undefined ? y : `${y} by ${color}`;
}
