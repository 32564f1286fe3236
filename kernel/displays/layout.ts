// The parts of a cell's view, still without rows, made from what its run displays.
import { invariant } from '../../engine/errors/invariant.ts';
import type { DisplaySpec } from '../../engine/api/fragment.ts';
import { parseDuration } from '../../engine/time/duration.ts';
import type { Displayed, Export } from '../executor/executor-protocol.ts';
import {
  type PanelKind,
  labelsOf,
  partsOf,
  rowBounds,
  type RowSpec,
  shownName,
  streamName,
} from '../live/displayed.ts';
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
  RowLayout | { readonly kind: PanelKind } | { readonly kind: 'value'; readonly text: string; readonly wire?: Wire };

export interface Shown {
  readonly displayed: Displayed;
  /** The names of the streams. */
  readonly exports?: readonly Export[];
}

/**
 * Parts in the order of `partsOf`, so that the index is the part's number in DisplayInstall. A
 * value is the last one.
 */
export function layoutOf({ displayed, exports }: Shown): readonly PartLayout[] {
  const parts = partsOf(displayed);
  const titles = titlesOf(parts, exports);
  const { value } = displayed;
  return [
    ...parts.map((spec, part) => partLayout(spec, titles[part] ?? '')),
    ...(value ? [{ kind: 'value', ...value } as const] : []),
  ];
}

function partLayout(spec: DisplaySpec, title: string): PartLayout {
  switch (spec.kind) {
    case 'table':
      return { ...rowLayout(spec, title), kind: 'table', spec: () => ({}) };
    case 'chart':
      return { ...rowLayout(spec, title), kind: 'chart', ...lastMillis(spec), spec: chartSpec(spec) };
    case 'backpressure':
    case 'lag':
    case 'watermarks':
    case 'checkpoints':
      return { kind: spec.kind };
    case 'view':
      invariant(false, 'a view inside a view is unfolded before it is laid out');
  }
}

function rowLayout(spec: RowSpec, title: string): Pick<RowLayout, 'title' | 'limit' | 'perSecond' | 'key' | 'changes'> {
  const { key, changes } = spec;
  return { title, ...rowBounds(spec), key, ...(changes && { changes }) };
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

/**
 * A table has the name of its stream; a chart has the title that it was given, or its axes. Where
 * two of them are equal, the label of the stream tells them apart.
 */
function titlesOf(parts: readonly DisplaySpec[], exports: readonly Export[] | undefined): readonly string[] {
  const labels = labelsOf(parts, exports);
  const titles = parts.map((spec) => titleOf(spec, exports));
  return parts.map((spec, part) => {
    const title = titles[part] ?? '';
    if (titles.indexOf(title) === titles.lastIndexOf(title)) return title;
    if (isTitled(spec)) return title;
    const label = labels[part] ?? '';
    return spec.kind === 'chart' && spec.mark ? `${title} · ${label}` : label;
  });
}
function titleOf(spec: DisplaySpec, exports: readonly Export[] | undefined): string | undefined {
  if (spec.kind === 'table') return shownName(spec, exports);
  if (spec.kind !== 'chart') return undefined;
  const { mark, vega, from } = spec;
  const given = mark?.['title'] ?? vega?.['title'];
  if (typeof given === 'string') return given;
  if (!mark) return streamName(from, exports);
  const { y, color } = mark as unknown as AnyMark;
  return color === undefined ? y : `${y} by ${color}`;
}
function isTitled(spec: DisplaySpec): boolean {
  return spec.kind === 'chart' && typeof (spec.mark?.['title'] ?? spec.vega?.['title']) === 'string';
}
