// The displays of a cell as data: a table, a chart, a panel with measurements, or several of them.
// The builder of the evaluation notes each one when it is made, so all of them are shown.
import { notYet, SluiceError } from '../errors/error.ts';
import { parseDuration } from '../time/duration.ts';
import { type Builder, evaluationFor, toEndpoint } from './builder.ts';
import type { DisplaySpec, Endpoint } from './fragment.ts';
import { oneOf, positiveNumber, readOptions, text, wholeNumber } from './options.ts';
import { describe } from './parameters.ts';
import type { StreamPlace } from './stream.ts';
import type * as S from './surface.ts';

/**
 * A display whose spec is made when it is read, because an operator may get its id after its
 * display was declared.
 */
export class PlannedDisplay implements S.Display {
  readonly kind = 'display';
  readonly #spec: () => DisplaySpec;
  constructor(spec: () => DisplaySpec) {
    this.#spec = spec;
  }
  get spec(): DisplaySpec {
    return this.#spec();
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Display ${this.spec.kind}`;
  }
}

/** A display that the current evaluation shows. `verb` is the method that the user called. */
export function declareDisplay(verb: string, own: Builder | undefined, spec: () => DisplaySpec): PlannedDisplay {
  const display = new PlannedDisplay(spec);
  evaluationFor(own)?.addDisplay(verb, display);
  return display;
}
/** A display of the whole session. */
function declarePanel(kind: 'backpressure' | 'lag' | 'watermarks' | 'checkpoints'): PlannedDisplay {
  return declareDisplay(kind, undefined, () => ({ kind }));
}

const defaultRows = 100;

/** The source of a display: a stream, or the changes of a table (`isTable`). */
type Shown = Pick<StreamPlace, 'origin' | 'rowKey'> & { readonly isTable?: true };

function readBy({ origin, rowKey, isTable }: Shown): { from: Endpoint; key?: readonly string[]; changes?: true } {
  return { from: toEndpoint(origin), ...(rowKey && { key: rowKey }), ...(isTable && { changes: isTable }) };
}

export function tableSpec(shown: Shown, options?: unknown): () => DisplaySpec {
  const { rows = defaultRows } = readOptions('show()', options, ['rows']);
  positiveNumber('The rows of show()', wholeNumber('The rows of show()', rows));
  return () => ({ kind: 'table', rows: rows as number, ...readBy(shown) });
}

const marks = ['line', 'bar', 'area', 'point', 'rect', 'tick'] as const;
const vegaForms = ['encoding', 'layer', 'hconcat', 'vconcat', 'repeat', 'facet'];

export function chartSpec(shown: Shown, mark: unknown): () => DisplaySpec {
  if (mark === null || typeof mark !== 'object')
    throw new SluiceError('bad-chart', `chart() takes { x: …, y: … } or a Vega-Lite spec, not ${describe(mark)}.`);
  const isVega = vegaForms.some((form) => form in mark);
  const drawn = isVega ? { vega: checkVega(mark) } : { mark: checkMark(mark) };
  return () => ({ kind: 'chart', ...drawn, ...readBy(shown) });
}

function checkMark(mark: object): Readonly<Record<string, unknown>> {
  const checked = readOptions('chart()', mark, ['mark', 'x', 'y', 'color', 'column', 'last', 'title']);
  if (checked['mark'] !== undefined) oneOf('The mark of chart()', checked['mark'], marks);
  text('The x of chart()', checked['x']);
  text('The y of chart()', checked['y']);
  for (const name of ['color', 'column', 'title'])
    if (checked[name] !== undefined) text(`The ${name} of chart()`, checked[name]);
  const { last } = checked;
  if (typeof last === 'number') positiveNumber('The last of chart()', last);
  else if (last !== undefined) positiveNumber('The last of chart()', parseDuration(last, 'The last of chart()'));
  return structuredClone(checked);
}

function checkVega(spec: object): Readonly<Record<string, unknown>> {
  if ('data' in spec)
    throw new SluiceError(
      'bad-chart',
      'The Vega-Lite spec of chart() has "data". Leave it out: the stream is the data.',
    );
  try {
    return structuredClone(spec) as Record<string, unknown>;
  } catch (cause) {
    throw new SluiceError(
      'bad-chart',
      'The Vega-Lite spec of chart() must be JSON data, without functions.',
      {},
      { cause },
    );
  }
}

export const backpressure: typeof S.backpressure = () => declarePanel('backpressure');
export const lag: typeof S.lag = () => declarePanel('lag');
export const watermarks: typeof S.watermarks = () => declarePanel('watermarks');
export const checkpoints: typeof S.checkpoints = () => declarePanel('checkpoints');
export const graph: typeof S.graph = () => notYet('graph panels');
