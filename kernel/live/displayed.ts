// What a cell shows, as data: its parts in order, the stream behind a part, and how many rows of it
// a person can see.
import type { DisplaySpec, Endpoint } from '../../engine/api/fragment.ts';
import { variableOf, verbOf } from '../../engine/graph/uid.ts';
import type { Displayed, Export } from '../executor/executor-protocol.ts';

/** A chart keeps at most this many points. */
const chartPoints = 2000;
/** Below this rate a chart drops nothing. */
const chartPerSecond = 1000;
const framesPerSecond = 5;

/** The parts in order, with views unfolded. The place in this list is the part's name. */
export function partsOf(displayed: Displayed): readonly DisplaySpec[] {
  const unfold = (spec: DisplaySpec): readonly DisplaySpec[] =>
    spec.kind === 'view' ? spec.parts.flatMap(unfold) : [spec];
  return displayed.parts.flatMap(unfold);
}

/** A part that shows measurements of the whole session. */
const panels = ['backpressure', 'lag', 'watermarks', 'checkpoints'] as const;
export type PanelKind = (typeof panels)[number];
export function isPanel(spec: DisplaySpec): boolean {
  return (panels as readonly string[]).includes(spec.kind);
}

/** The stream or the title of a part, for people. */
export function shownName(spec: RowSpec, exports: readonly Export[] = []): string {
  return (spec.kind === 'table' ? spec.title : undefined) ?? streamName(spec.from, exports);
}

/** A part that shows rows of a stream. */
export type RowSpec = Extract<DisplaySpec, { kind: 'table' | 'chart' }>;

/** Rows that a part keeps on screen, and rows a second beyond which it shows a sample. */
export interface RowBounds {
  readonly limit: number;
  readonly perSecond: number;
}
export function rowBounds(spec: RowSpec): RowBounds {
  if (spec.kind === 'table') return { limit: spec.rows, perSecond: Math.max(spec.rows, 1) * framesPerSecond };
  const last = spec.mark?.['last'];
  const limit = typeof last === 'number' ? Math.min(Math.max(1, Math.floor(last)), chartPoints) : chartPoints;
  return { limit, perSecond: chartPerSecond };
}

/**
 * The label of each part that shows rows: the name of its stream. Equal labels of a cell are
 * numbered in the order of the parts: map#1, map#2.
 */
export function labelsOf(
  parts: readonly DisplaySpec[],
  exports: readonly Export[] = [],
): readonly (string | undefined)[] {
  const names = parts.map((spec) => ('from' in spec ? shownName(spec, exports) : undefined));
  const numbers = new Map<string, number>();
  return names.map((name) => {
    if (name === undefined || names.indexOf(name) === names.lastIndexOf(name)) return name;
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    return `${name}#${number}`;
  });
}

/** The user's name for a stream: the variable that holds it. */
export function streamName(from: Endpoint, exports: readonly Export[] = []): string {
  const suffix = from.port === 'out' ? '' : `.${from.port}`;
  if ('variable' in from) return from.variable + suffix;
  for (const one of exports)
    if (one.kind === 'stream' && 'node' in one.endpoint && one.endpoint.node === from.node) return one.name + suffix;
  return (variableOf(from.node) ?? verbOf(from.node) ?? from.node) + suffix;
}
