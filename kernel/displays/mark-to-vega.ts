// Converts the chart shorthand ({mark, x, y, color, column}) into a complete Vega-Lite spec over
// the data set "rows".
// The type of a field (time, number, name) comes from a row. Before the first row it is guessed
// from the channel of the field.
import type { Mark } from '../../engine/api/surface.ts';

export type AnyMark = Mark<Record<string, unknown>>;
type Scale = 'temporal' | 'quantitative' | 'nominal';
type Spec = Readonly<Record<string, unknown>>;

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const facetWidth = 180;
/** Full instants only. "2024" and "12:00" remain text. */
const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

export function markToVega(mark: AnyMark, row: Readonly<Record<string, unknown>> | undefined): Spec {
  const kind = mark.mark ?? 'line';
  const scaleOf = (field: string, guess: Scale): Scale =>
    row && Object.hasOwn(row, field) ? scaleOfValue(row[field]) : guess;
  const x = scaleOf(mark.x, mark.x === 'windowStart' || mark.x === 'windowEnd' ? 'temporal' : 'quantitative');
  const y = scaleOf(mark.y, kind === 'rect' ? 'nominal' : 'quantitative');
  const isoFields = [mark.x, mark.y, mark.color, mark.column].filter(
    (field): field is string => field !== undefined && typeof row?.[field] === 'string' && isoInstant.test(row[field]),
  );
  const usesWindow = (kind === 'bar' || kind === 'rect') && mark.x === 'windowStart' && (!row || 'windowEnd' in row);
  // Bars of one category would stand in front of each other, and only the highest would be seen.
  const addsUp = kind === 'bar' && x !== 'temporal' && y === 'quantitative';
  return {
    $schema: schema,
    ...(mark.title !== undefined && { title: mark.title }),
    data: { name: 'rows' },
    ...(isoFields.length > 0 && {
      transform: [...new Set(isoFields)].map((field) => ({ calculate: `toDate(${datumField(field)})`, as: field })),
    }),
    // With two ends on x, Vega-Lite would draw a horizontal bar, so the orientation is given.
    mark: { ...markOf(kind, x), ...(usesWindow && kind === 'bar' && { orient: 'vertical' }) },
    encoding: {
      x: { field: name(mark.x), ...axisOf(x, mark.x), ...(kind === 'bar' && binless(x)) },
      ...(usesWindow && { x2: { field: 'windowEnd' } }),
      y: {
        field: name(mark.y),
        ...axisOf(y, mark.y),
        ...(addsUp && { aggregate: 'sum', title: `sum of ${mark.y}` }),
        ...(y === 'quantitative' && { scale: { zero: startsAtZero(kind) } }),
        ...(usesWindow && kind === 'bar' && y === 'quantitative' && { stack: 'zero' }),
      },
      ...(mark.color !== undefined && {
        color: {
          field: name(mark.color),
          type: scaleOf(mark.color, kind === 'rect' ? 'quantitative' : 'nominal'),
          title: mark.color,
        },
      }),
      ...(mark.column !== undefined && {
        column: { field: name(mark.column), type: scaleOf(mark.column, 'nominal'), title: mark.column },
      }),
    },
    width: mark.column === undefined ? 'container' : facetWidth,
    autosize: { type: mark.column === undefined ? 'fit' : 'pad', contains: 'padding' },
  };
}

function markOf(kind: NonNullable<AnyMark['mark']>, x: Scale): Spec {
  const tooltip = { content: 'data' };
  switch (kind) {
    case 'line':
      return { type: 'line', interpolate: 'linear', point: x === 'nominal', tooltip };
    case 'area':
      return { type: 'area', line: true, opacity: 0.5, tooltip };
    case 'point':
      return { type: 'point', filled: true, tooltip };
    case 'bar':
    case 'rect':
    case 'tick':
      return { type: kind, tooltip };
  }
}

/** The length of a bar or an area shows a quantity, so its axis must contain zero. */
function startsAtZero(kind: NonNullable<AnyMark['mark']>): boolean {
  return kind === 'bar' || kind === 'area';
}

function axisOf(type: Scale, title: string): Spec {
  switch (type) {
    case 'temporal':
      return { type, title: null, axis: { labelOverlap: true } };
    case 'quantitative':
      return { type, title };
    case 'nominal':
      return { type, title, axis: { labelOverlap: true } };
  }
}

/** Numbers on x under bars: one bar per number, not a histogram. */
function binless(x: Scale): Spec {
  return x === 'quantitative' ? { type: 'ordinal', axis: { labelOverlap: true } } : {};
}

function scaleOfValue(value: unknown): Scale {
  if (value instanceof Date) return 'temporal';
  if (typeof value === 'number' || typeof value === 'bigint') return 'quantitative';
  return typeof value === 'string' && isoInstant.test(value) ? 'temporal' : 'nominal';
}

/** Vega reads dots and brackets in a field's name as a path. */
function name(field: string): string {
  return field.replace(/[\\.[\]]/g, '\\$&');
}
function datumField(field: string): string {
  return `datum[${JSON.stringify(field)}]`;
}
