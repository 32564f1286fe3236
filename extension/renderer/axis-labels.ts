// Labels of the axes of a compiled chart, in every plot of it. Times are "12:04:10", never ":10" or
// "12 PM". Numbers are those of legend and tooltip. The number of labels depends on the space.
// An axis title that repeats the chart's title is removed.
import type { Axis, Mark, Spec } from 'vega';
import { expressionFunction } from 'vega';
import { figure } from './format.ts';

/** Name of `figure` in Vega's expressions. */
const figureFunction = 'sluiceFigure';
expressionFunction(figureFunction, (value: unknown) => (typeof value === 'number' ? figure(value) : String(value)));

export function labelAxes(vega: Spec, title: string): void {
  const typeByScale = new Map((vega.scales ?? []).map((scale) => [scale.name, scale.type ?? 'linear']));
  for (const axis of axesOf(vega)) {
    if (typeof axis.title === 'string' && title.startsWith(axis.title)) delete axis.title;
    const type = typeByScale.get(axis.scale) ?? '';
    const isTime = type === 'time' || type === 'utc';
    withTickCount(axis, isTime);
    if (axis.labels === false || axis.format !== undefined || axis.encode?.labels?.update?.['text'] !== undefined)
      continue;
    if (isTime) {
      axis.format = timeFormats;
    } else if (['linear', 'log', 'symlog', 'sqrt', 'pow'].includes(type)) {
      const text = `${figureFunction}(datum.value)`;
      axis.encode = { ...axis.encode, labels: { update: { text: { signal: text } } } };
    }
  }
}

/** The axes of the chart and of its plots, including those in headers and footers. */
function* axesOf(group: { readonly axes?: Axis[]; readonly marks?: Mark[] }): Iterable<Axis> {
  yield* group.axes ?? [];
  for (const mark of group.marks ?? []) if (mark.type === 'group') yield* axesOf(mark);
}

/**
 * Vega-Lite requests a tick every 40 pixels. That is too dense for times of day and for a grid
 * without clutter.
 */
function withTickCount(axis: Axis, isTime: boolean): void {
  const { tickCount } = axis;
  if (typeof tickCount !== 'object' || tickCount === null || !('signal' in tickCount)) return;
  const extent = /^ceil\((\w+)\/40\)$/.exec(tickCount.signal)?.[1];
  if (extent !== undefined) axis.tickCount = { signal: `max(2, ceil(${extent} / ${isTime ? '110' : '48'}))` };
}

const timeFormats = {
  year: '%Y',
  quarter: '%b %Y',
  month: '%b %d',
  week: '%b %d',
  date: '%b %d',
  day: '%b %d',
  hours: '%H:%M',
  minutes: '%H:%M',
  seconds: '%H:%M:%S',
  milliseconds: '%H:%M:%S.%L',
};
