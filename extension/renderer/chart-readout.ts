// Shows the values under the pointer. Over lines, a rule stands at the nearest time and the legend
// shows its values.
// Over single marks, a box shows the fields of the row.
import type { View } from 'vega';
import type { ChartRows, Datum } from './chart-rows.ts';
import { timeOf } from './chart-rows.ts';
import type { DrawableSpec, FieldReader } from './chart-spec.ts';
import { openField, partialField } from './chart-spec.ts';
import { element, setText } from './element.ts';
import { moment, number, utc } from './format.ts';
import { valueText } from './value-tree.ts';

export type ReadoutFields = Pick<DrawableSpec, 'time' | 'figure' | 'isOverTime' | 'temporalFields' | 'made'>;

export class Readout {
  readonly element = element('div', 'sl-readout');
  readonly #rule = element('div', 'sl-rule');
  readonly #label = element('div', 'sl-rule-label');
  readonly #box = element('div', 'sl-tip');
  readonly #changed: () => void;
  #pointer: { readonly x: number; readonly y: number } | undefined;
  #item: Datum | undefined;
  #at: number | undefined;

  constructor(plot: HTMLElement, changed: () => void) {
    this.#changed = changed;
    this.element.append(this.#rule, this.#label, this.#box);
    this.#hide();
    plot.addEventListener('pointermove', ({ clientX, clientY }) => {
      const { left, top } = plot.getBoundingClientRect();
      this.#pointer = { x: clientX - left + plot.scrollLeft, y: clientY - top };
      this.#changed();
    });
    plot.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      this.#item = undefined;
      this.#changed();
    });
  }

  /** The time under the pointer, for the legend's values; undefined: the newest. */
  get at(): number | undefined {
    return this.#at;
  }

  follow(view: View): void {
    view.addEventListener('pointermove', (_event, item) => {
      const mark = item?.mark as { readonly marktype?: string } | undefined;
      const isSingle =
        mark?.marktype !== undefined && ['symbol', 'rect', 'arc', 'rule', 'text'].includes(mark.marktype);
      const datum = isSingle ? (item?.datum as Datum | undefined) : undefined;
      // Axis labels and grid lines are marks too, but their data are not rows.
      this.#item =
        datum !== undefined && !('index' in datum && 'value' in datum && 'label' in datum) ? datum : undefined;
    });
  }

  draw(view: View, rows: ChartRows, fields: ReadoutFields): void {
    const pointer = this.#pointer;
    this.#at = undefined;
    this.#hide();
    if (pointer === undefined) return;
    if (fields.isOverTime && fields.time !== undefined)
      this.#drawRule(view, rows.data(), pointer.x, fields, fields.time);
    else if (this.#item !== undefined) this.#drawBox(this.#item, pointer, readable(this.#item, rows, fields));
  }

  #drawRule(view: View, data: Iterable<Datum>, pointerX: number, fields: ReadoutFields, time: FieldReader): void {
    const [left, top] = view.origin();
    const scale = view.scale('x') as ((at: number) => number) & { invert?: (x: number) => Date };
    const wanted = Number(scale.invert?.(pointerX - left));
    let nearest: Datum | undefined;
    let distance = Infinity;
    for (const datum of data) {
      const away = Math.abs(timeOf(time(datum)) - wanted);
      if (away < distance) [nearest, distance] = [datum, away];
    }
    if (nearest === undefined) return;
    const at = timeOf(time(nearest));
    this.#at = at;
    const x = left + scale(at);
    const height = view.signal('height') as number;
    Object.assign(this.#rule.style, {
      left: `${x.toFixed(1)}px`,
      top: `${String(top)}px`,
      height: `${String(height)}px`,
    });
    this.#rule.hidden = this.#label.hidden = false;
    const value = fields.figure?.(nearest);
    const texts = [moment(at, Date.now()), typeof value === 'number' ? number(value) : '', windowState(nearest)];
    setText(this.#label, texts.filter((text) => text !== '').join('  '));
    const isRight = x > (view.signal('width') as number) / 2;
    Object.assign(this.#label.style, {
      left: isRight ? 'auto' : `${(x + 6).toFixed(1)}px`,
      right: isRight ? `calc(100% - ${(x - 6).toFixed(1)}px)` : 'auto',
      top: `${String(top)}px`,
    });
  }

  #drawBox(
    datum: Datum,
    pointer: { readonly x: number; readonly y: number },
    entries: readonly (readonly [name: string, value: unknown])[],
  ): void {
    const lines = entries.slice(0, 12).map(([name, value]) => {
      const isTime = value instanceof Date && Number.isFinite(value.getTime());
      const cell = element('span', '', isTime ? moment(value.getTime(), Date.now()) : valueText(value, 60));
      if (isTime) cell.title = utc(value.getTime());
      return element('div', '', element('span', 'sl-dim', `${name} `), cell);
    });
    this.#box.replaceChildren(...lines);
    const state = windowState(datum);
    if (state !== '') this.#box.append(element('div', 'sl-dim', state));
    this.#box.hidden = false;
    const parent = this.element.parentElement;
    const isRight = pointer.x > (parent?.clientWidth ?? 0) * 0.6;
    const isLow = pointer.y > (parent?.clientHeight ?? 0) * 0.5;
    Object.assign(this.#box.style, {
      left: isRight ? 'auto' : `${String(pointer.x + 12)}px`,
      right: isRight ? `calc(100% - ${String(pointer.x - 12)}px)` : 'auto',
      top: isLow ? 'auto' : `${String(pointer.y + 8)}px`,
      bottom: isLow ? `calc(100% - ${String(pointer.y - 8)}px)` : 'auto',
    });
  }

  #hide(): void {
    this.#rule.hidden = this.#label.hidden = this.#box.hidden = true;
  }
}

function windowState(datum: Datum): string {
  if (datum[openField] === true) return 'its window is still open';
  return datum[partialField] === true ? 'contains only a part of its window' : '';
}

/**
 * The fields of the row itself, or of a mark that stands for several rows: its group and its
 * aggregate.
 */
function readable(
  datum: Datum,
  rows: ChartRows,
  { temporalFields, made }: ReadoutFields,
): readonly (readonly [name: string, value: unknown])[] {
  const dated = (name: string, value: unknown): unknown => {
    const isTime = (temporalFields.includes(name) || rows.dateFields.has(name)) && Number.isFinite(timeOf(value));
    return isTime ? new Date(timeOf(value)) : value;
  };
  const own = fieldsOf(rows.data());
  return Object.entries(datum).flatMap(([name, value]): (readonly [string, unknown])[] => {
    const title = made.get(name);
    if (title !== undefined) return [[title, value]];
    return own.has(name) && name !== partialField && name !== openField ? [[name, dated(name, value)]] : [];
  });
}

/** The fields of the rows themselves, without fields that the spec's transforms add. */
function fieldsOf(data: Iterable<Datum>): ReadonlySet<string> {
  const fields = new Set<string>();
  for (const datum of data) for (const name of Object.keys(datum)) fields.add(name);
  return fields;
}
