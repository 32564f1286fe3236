// Prepares a Vega-Lite spec: rows are its one data set, our theme lies under the user's config, and
// partial rows are lighter or dashed.
// Time axes have 24 hours, figures have SI suffixes, and the domain of the colour scale is a
// signal, so that a series keeps its colour and its place.
import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { Config } from 'vega-lite';
import { field as fieldReader, splitAccessPath } from 'vega';
import { compile } from 'vega-lite';
import { labelAxes } from './axis-labels.ts';
import { withoutAddresses } from './chart-loader.ts';
import { withPlainNames } from './chart-names.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The field of a datum that is true if the row contains only a part of its window: it is drawn
 * lighter or dashed.
 */
export const partialField = '__partial';
/** The field of a datum that is true if its window is still open. */
export const openField = '__open';
export const rowsData = 'rows';
export const seriesSignal = 'sluice_series';
/** The names of the series that have one row. `null` if the chart has no series. */
export const loneSignal = 'sluice_lone';
/** Whether a row has only a part of its window. Without such a row nothing is dashed. */
export const partsSignal = 'sluice_parts';

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
  /**
   * Set if a series of one row is drawn as a point: what separates the series, if anything does.
   */
  readonly lone: { readonly field: FieldReader | undefined } | undefined;
  /** Names of fields that the rows have to have. */
  readonly fields: readonly string[];
  /** The field along y, if it is one number per row. */
  readonly figure: FieldReader | undefined;
  /** Whether the marks are lines or areas. Those are read at a time, not one by one. */
  readonly isOverTime: boolean;
  /** The time field along x, for reading values under the pointer. */
  readonly time: FieldReader | undefined;
  readonly temporalFields: readonly string[];
  /**
   * Fields that Vega-Lite makes of several rows, with their titles: sum_amount → "sum of amount".
   */
  readonly made: ReadonlyMap<string, string>;
  /**
   * Rows of open windows are drawn lighter or dashed. False: the spec has no place for that, so
   * they are not drawn at all, because they would look like final ones.
   */
  readonly showsOpen: boolean;
  /** The field along x, if each row has one place on a continuous axis. */
  readonly along: FieldReader | undefined;
}

export const defaultHeight = 220;

/** `title` is the chart's title. An axis title must not repeat it. */
export function drawableSpec(given: Json, title: string, config: Config): DrawableSpec {
  const spec = withPlainNames(given);
  const single = isSingleView(spec);
  const fitsWidth = single && (spec['width'] === undefined || spec['width'] === 'container');
  const height = single ? (typeof spec['height'] === 'number' ? spec['height'] : defaultHeight) : undefined;
  const { title: _title, ...untitled } = spec;
  const own = typeof spec['title'] === 'string' ? untitled : spec;
  const lighter = withPartialRows(own);
  const prepared = {
    ...(lighter ?? own),
    data: spec['data'] ?? { name: rowsData },
    ...(single ? { height, autosize: { type: 'fit', contains: 'padding' } } : {}),
    ...(fitsWidth ? { width: 600 } : {}),
  };
  const vega = withoutAddresses(compile(prepared as unknown as TopLevelSpec, { config, logger: quiet }).spec);
  labelAxes(vega, title);
  const series = withStableSeries(vega, spec);
  const channels = channelsOf(spec);
  const hasLone = lighter !== undefined && isConnected(markTypes(spec)[0]);
  const signals = [
    { name: loneSignal, value: [] },
    { name: partsSignal, value: false },
  ];
  if (hasLone) vega.signals = [...(vega.signals ?? []), ...signals];
  return {
    lone: hasLone ? { field: reader(seriesChannel(spec)) } : undefined,
    fields: fieldsOfRows(spec, channels),
    vega,
    height,
    fitsWidth,
    series,
    figure: figureOf(spec),
    isOverTime: ['line', 'area', 'trail'].some((type) => markTypes(spec).includes(type)),
    time: reader(channels.find(({ channel, definition }) => channel === 'x' && isTemporal(definition))),
    made: madeFields(channels),
    showsOpen: lighter !== undefined,
    along: reader(channels.find(({ channel, definition }) => channel === 'x' && isContinuous(definition))),
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

/** Each row has its own place: no unit of time and no bin that rows share. */
const isContinuous = ({ type, timeUnit, bin, aggregate }: Json): boolean =>
  (type === 'temporal' || type === 'quantitative') && timeUnit === undefined && !bin && aggregate === undefined;

/**
 * Marks of rows with a part of their window are lighter. A line to such a row is dashed: a dashed
 * line lies under the whole solid line and is visible only where the solid line is missing. An area
 * is two areas in the same way. undefined: the spec cannot have that.
 */
function withPartialRows(spec: Json): Json | undefined {
  const mark = isObject(spec['mark']) ? spec['mark'] : { type: spec['mark'] };
  // An encoding cannot arrange layers in rows and columns.
  if (spec['mark'] === undefined || !isObject(spec['encoding']) || !isSingleView(spec)) return undefined;
  // A mark of several rows has no window of its own.
  const definitions = Object.values(spec['encoding']);
  if (definitions.some((definition) => isObject(definition) && definition['aggregate'] !== undefined)) return undefined;
  const isPartial = `datum[${JSON.stringify(partialField)}] === true`;
  if (isConnected(mark['type'])) {
    const { mark: _mark, encoding, ...rest } = spec;
    const whole = { transform: [{ filter: `!(${isPartial})` }], mark };
    return {
      ...rest,
      encoding,
      layer: [{ transform: [{ filter: partsSignal }], ...withDashes(mark) }, whole, lonePoints(spec, isPartial)],
    };
  }
  const marks = ['point', 'circle', 'square', 'tick', 'bar', 'rect', 'rule', 'text'];
  if (!marks.includes(String(mark['type'])) || 'opacity' in spec['encoding']) return undefined;
  const given = mark['opacity'];
  if (given !== undefined && typeof given !== 'number') return undefined;
  const value = given ?? (mark['type'] === 'circle' ? 0.75 : 1);
  return {
    ...spec,
    encoding: { ...spec['encoding'], opacity: { condition: { test: isPartial, value: 0.35 * value }, value } },
  };
}

const isConnected = (type: unknown): boolean => type === 'line' || type === 'trail' || type === 'area';

function withDashes(mark: Json): Json {
  if (mark['type'] !== 'area')
    return { mark: { ...mark, strokeDash: [3, 3], strokeWidth: 1, opacity: 0.55, tooltip: null } };
  const opacity = typeof mark['opacity'] === 'number' ? mark['opacity'] : 0.7;
  const line = { strokeDash: [3, 3], strokeWidth: 1 };
  return { mark: { ...mark, opacity: opacity * 0.35, line, tooltip: null } };
}

/** A line or an area of one row has no length, so its row is a point. */
function lonePoints(spec: Json, isPartial: string): Json {
  const series = seriesChannel(spec);
  const path = series && splitAccessPath(series.field).map((part) => `[${JSON.stringify(part)}]`);
  const isLone = path ? `indexof(${loneSignal}, datum${path.join('')}) >= 0` : `length(${loneSignal}) > 0`;
  return {
    transform: [{ filter: isLone }],
    mark: { type: 'point', filled: true, tooltip: null },
    encoding: { opacity: { condition: { test: isPartial, value: 0.35 }, value: 1 } },
  };
}

function seriesChannel(spec: Json): Channel | undefined {
  return channelsOf(spec).find(({ channel }) => ['color', 'fill', 'stroke'].includes(channel));
}

/**
 * Makes the domain of the colour scale independent of the data. Otherwise a series that disappears
 * changes the colours of the others.
 */
function withStableSeries(vega: Spec, spec: Json): SeriesFields | undefined {
  const channel = seriesChannel(spec);
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

/** The first part of each path, without fields that a transform makes. */
function fieldsOfRows(spec: Json, channels: readonly Channel[]): readonly string[] {
  const made = JSON.stringify(Array.isArray(spec['transform']) ? spec['transform'] : []);
  const names = channels.map(({ field }) => splitAccessPath(field)[0] ?? field);
  // A calculation of the shorthand makes a field of the field with its name.
  return [...new Set(names)].filter(
    (name) => !made.includes(`"as":${JSON.stringify(name)}`) && !made.includes('"as":['),
  );
}

/** Vega-Lite names an aggregate by its operation and its field. */
function madeFields(channels: readonly Channel[]): ReadonlyMap<string, string> {
  return new Map(
    channels.flatMap(({ field, definition }): [string, string][] => {
      const { aggregate } = definition;
      return typeof aggregate === 'string' ? [[`${aggregate}_${field}`, `${aggregate} of ${field}`]] : [];
    }),
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
