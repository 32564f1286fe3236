// Converts the displays that a run requests under its cell into the parts of its view, still
// without rows.
import type { DisplaySpec, Endpoint } from '../../engine/api/fragment.ts';
import { variableOf, verbOf } from '../../engine/graph/uid.ts';
import { parseDuration } from '../../engine/time/duration.ts';
import type { Displayed, Export } from '../executor/executor-protocol.ts';
import { partsOf } from '../live/planner.ts';
import type { Wire } from '../protocol/displays.ts';
import { markToVega, type AnyMark } from './mark-to-vega.ts';

const chartPoints = 2000;
const chartLastMillis = 5 * 60_000;
/** A chart is not sampled below this rate. */
const chartPerSecond = 1000;
const framesPerSecond = 5;

export interface RowLayout {
  readonly kind: 'table' | 'chart';
  readonly title: string;
  readonly limit: number;
  readonly lastMillis?: number;
  readonly key?: readonly string[];
  /** The rows come from a table. They carry their key and may be deleted. */
  readonly changes?: true;
  /**
   * Rows above this rate are sampled, because nobody could see them or the display would keep only
   * the last ones.
   */
  readonly perSecond: number;
  /** The chart's spec. It depends on the first row, which is undefined until a row arrives. */
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
      return {
        kind: 'table',
        title: titleOf(spec),
        limit: spec.rows,
        key: spec.key,
        ...(spec.changes && { changes: spec.changes }),
        perSecond: Math.max(spec.rows, 1) * framesPerSecond,
        spec: () => ({}),
      };
    case 'chart':
      return {
        kind: 'chart',
        title: titleOf(spec),
        ...chartKeeps(spec),
        key: spec.key,
        ...(spec.changes && { changes: spec.changes }),
        ...chartSpec(spec),
      };
    case 'backpressure':
      return { kind: 'backpressure' };
    case 'view':
      throw new Error('A view inside a view is unfolded before it is laid out.');
  }
}

type ChartSpec = Extract<DisplaySpec, { kind: 'chart' }>;

function chartSpec({ mark, vega }: ChartSpec): Pick<RowLayout, 'spec' | 'perSecond'> {
  if (mark) return { perSecond: chartPerSecond, spec: (row) => markToVega(mark as unknown as AnyMark, row) };
  return { perSecond: chartPerSecond, spec: () => ({ ...vega, data: { name: 'rows' } }) };
}

/**
 * `last` is a duration in event time or a number of rows. Rows of a table have no age limit by
 * default.
 */
function chartKeeps({ mark, changes }: ChartSpec): Pick<RowLayout, 'limit' | 'lastMillis'> {
  const last = mark?.['last'];
  if (last === undefined && changes) return { limit: chartPoints };
  if (typeof last === 'number') return { limit: Math.min(Math.max(1, Math.floor(last)), chartPoints) };
  return {
    limit: chartPoints,
    lastMillis: last === undefined ? chartLastMillis : parseDuration(last, 'The last of chart()'),
  };
}

/** The user's name for a stream: the variable that holds it. */
export function streamName(from: Endpoint, exports: readonly Export[] = []): string {
  const suffix = from.port === 'out' ? '' : `.${from.port}`;
  if ('variable' in from) return from.variable + suffix;
  for (const { kind, name, ...rest } of exports)
    if (kind === 'stream' && 'endpoint' in rest && 'node' in rest.endpoint && rest.endpoint.node === from.node)
      return name + suffix;
  return (variableOf(from.node) ?? verbOf(from.node) ?? from.node) + suffix;
}

function titleOf(spec: Extract<DisplaySpec, { kind: 'table' | 'chart' }>): string {
  const stream = streamName(spec.from);
  if (spec.kind === 'table') return stream;
  const { mark, vega } = spec;
  const given = mark?.['title'] ?? vega?.['title'];
  if (typeof given === 'string') return given;
  if (!mark) return stream;
  const { y, color } = mark as unknown as AnyMark;
  return color === undefined ? y : `${y} by ${color}`;
}
