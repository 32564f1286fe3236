// Prepares a Vega-Lite spec: rows are its one data set, our theme lies under the user's config, and
// partial rows are lighter or dashed.
// Time axes have 24 hours, figures have SI suffixes, and the domain of the colour scale is a
// signal, so that a series keeps its colour and its place.
import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { Config } from 'vega-lite';
import { field as fieldReader } from 'vega';
import { compile } from 'vega-lite';
import { labelAxes } from './axis-labels.ts';
import { withoutAddresses } from './chart-loader.ts';

type Json = Readonly<Record<string, unknown>>;

/** The field of a datum that is true if the row contains only a part of its window. */
export const partialField = '__partial';
export const rowsData = 'rows';
export const seriesSignal = 'sluice_series';

/**
 * Reads a field of a datum by its name in a spec. A dot in the name is a path, and a backslash
 * escapes it.
 */
export type FieldReader = (datum: unknown) => unknown;

/** The series of a chart: the field that separates them, and the field of their figure. */
export interface SeriesFields {
  readonly scale: string;
  readonly field: FieldReader;
  readonly figure: FieldReader | undefined;
}

export interface DrawableSpec {
  readonly vega: Spec;
  /**
   * Height of the plot in CSS pixels. undefined: the spec contains several plots and needs its own
   * height.
   */
  readonly height: number | undefined;
  /** False if the user set a width in the spec. */
  readonly fitsWidth: boolean;
  readonly series: SeriesFields | undefined;
  /** The field along y, if it is one number per row. */
  readonly figure: FieldReader | undefined;
  /** Whether the marks are lines or areas. Those are read at a time, not one by one. */
  readonly isOverTime: boolean;
  /** The time field along x, for reading values under the pointer. */
  readonly time: FieldReader | undefined;
  readonly temporalFields: readonly string[];
}

export const defaultHeight = 220;

/** `title` is the chart's title. An axis title must not repeat it. */
export function drawableSpec(spec: Json, title: string, config: Config): DrawableSpec {
  const single = isSingleView(spec);
  const fitsWidth = single && (spec['width'] === undefined || spec['width'] === 'container');
  const height = single ? (typeof spec['height'] === 'number' ? spec['height'] : defaultHeight) : undefined;
  const { title: _title, ...untitled } = spec;
  const prepared = {
    ...withPartialRows(typeof spec['title'] === 'string' ? untitled : spec),
    data: spec['data'] ?? { name: rowsData },
    ...(single ? { height, autosize: { type: 'fit', contains: 'padding' } } : {}),
    ...(fitsWidth ? { width: 600 } : {}),
  };
  const vega = withoutAddresses(compile(prepared as unknown as TopLevelSpec, { config, logger: quiet }).spec);
  labelAxes(vega, title);
  const series = withStableSeries(vega, spec);
  const channels = channelsOf(spec);
  return {
    vega,
    height,
    fitsWidth,
    series,
    figure: figureOf(spec),
    isOverTime: ['line', 'area', 'trail'].some((type) => markTypes(spec).includes(type)),
    time: reader(channels.find(({ channel, definition }) => channel === 'x' && isTemporal(definition))),
    temporalFields: channels.filter(({ definition }) => isTemporal(definition)).map(({ field }) => field),
  };
}

function isSingleView(spec: Json): boolean {
  if (['facet', 'repeat', 'hconcat', 'vconcat', 'concat'].some((name) => name in spec)) return false;
  return !channelsOf(spec).some(({ channel }) => ['row', 'column', 'facet'].includes(channel));
}

interface Channel {
  readonly channel: string;
  readonly field: string;
  readonly definition: Json;
}

/** All encoded fields, in a unit or in any layer of a spec. */
function channelsOf(spec: Json): readonly Channel[] {
  const own = isObject(spec['encoding']) ? Object.entries(spec['encoding']) : [];
  const channels = own.flatMap(([channel, definition]) =>
    (Array.isArray(definition) ? definition : [definition]).flatMap((one: unknown) =>
      isObject(one) && typeof one['field'] === 'string' ? [{ channel, field: one['field'], definition: one }] : [],
    ),
  );
  const inner: unknown[] = ['layer', 'hconcat', 'vconcat', 'concat'].flatMap((name) =>
    Array.isArray(spec[name]) ? (spec[name] as unknown[]) : [],
  );
  if (isObject(spec['spec'])) inner.push(spec['spec']);
  return [...channels, ...inner.filter(isObject).flatMap(channelsOf)];
}

const isTemporal = (definition: Json): boolean =>
  definition['type'] === 'temporal' || definition['timeUnit'] !== undefined;

/**
 * Marks of rows from a window that was already open are lighter. A line to such a row is dashed: a
 * dashed line lies under the whole solid line and is visible only where the solid line is missing.
 */
function withPartialRows(spec: Json): Json {
  const mark = isObject(spec['mark']) ? spec['mark'] : { type: spec['mark'] };
  // An encoding cannot arrange layers in rows and columns.
  if (spec['mark'] === undefined || !isObject(spec['encoding']) || !isSingleView(spec)) return spec;
  const isPartial = `datum[${JSON.stringify(partialField)}] === true`;
  if (mark['type'] === 'line' || mark['type'] === 'trail') {
    const { mark: _mark, encoding, ...rest } = spec;
    return {
      ...rest,
      encoding,
      layer: [
        { mark: { ...mark, strokeDash: [3, 3], strokeWidth: 1, opacity: 0.55, tooltip: null } },
        { transform: [{ filter: `!(${isPartial})` }], mark },
      ],
    };
  }
  const marks = ['point', 'circle', 'square', 'tick', 'bar', 'rect', 'rule', 'text'];
  if (!marks.includes(String(mark['type'])) || 'opacity' in spec['encoding'] || 'opacity' in mark) return spec;
  const value = mark['type'] === 'circle' ? 0.75 : 1;
  return {
    ...spec,
    encoding: { ...spec['encoding'], opacity: { condition: { test: isPartial, value: 0.35 }, value } },
  };
}

/**
 * Makes the domain of the colour scale independent of the data. Otherwise a series that disappears
 * changes the colours of the others.
 */
function withStableSeries(vega: Spec, spec: Json): SeriesFields | undefined {
  const channel = channelsOf(spec).find(({ channel }) => ['color', 'fill', 'stroke'].includes(channel));
  if (channel === undefined || isTemporal(channel.definition) || channel.definition['type'] === 'quantitative')
    return undefined;
  if (channel.definition['sort'] !== undefined || channel.definition['bin'] || channel.definition['aggregate'])
    return undefined;
  const scale = vega.scales?.find(({ name, type }) => name === channel.channel && type === 'ordinal');
  if (scale === undefined || !('domain' in scale) || Array.isArray(scale.domain)) return undefined;
  scale.domain = { signal: seriesSignal };
  vega.signals = [...(vega.signals ?? []), { name: seriesSignal, value: [] }];
  // Our legend shows the last value of each series beside its name.
  vega.legends = (vega.legends ?? []).filter(
    (legend) => ![legend.fill, legend.stroke].includes(scale.name) || [legend.size, legend.shape].some(Boolean),
  );
  return { scale: scale.name, field: fieldReader(channel.field), figure: figureOf(spec) };
}

function figureOf(spec: Json): FieldReader | undefined {
  return reader(
    channelsOf(spec).find(
      ({ channel, definition }) =>
        channel === 'y' && definition['type'] === 'quantitative' && definition['aggregate'] === undefined,
    ),
  );
}

function reader(channel: Channel | undefined): FieldReader | undefined {
  return channel === undefined ? undefined : fieldReader(channel.field);
}

function markTypes(spec: Json): readonly unknown[] {
  const own = isObject(spec['mark']) ? spec['mark']['type'] : spec['mark'];
  const layers: readonly unknown[] = Array.isArray(spec['layer']) ? spec['layer'] : [];
  return [own, ...layers.filter(isObject).flatMap(markTypes)];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Warnings of Vega-Lite are for the author of a spec, who can read the browser's console.
const quiet = {
  level: () => quiet,
  error: (...parts: readonly string[]) => (console.warn('Sluice chart:', ...parts), quiet),
  warn: (...parts: readonly string[]) => (console.debug('Sluice chart:', ...parts), quiet),
  info: () => quiet,
  debug: () => quiet,
} as never;
