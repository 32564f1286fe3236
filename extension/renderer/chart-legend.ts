// The legend beside a chart: colour, name and last value of each series.
// The series of the first frame are sorted, and later ones follow in the order of their appearance.
import type { Datum } from './chart-rows.ts';
import { timeOf } from './chart-rows.ts';
import { type FieldReader, openField, type SeriesFields } from './chart-spec.ts';
import { element, setText } from './element.ts';
import { figure } from './format.ts';

/** Number of remembered series. Beyond it, series without rows are forgotten. */
const remembered = 60;

export function seriesOrder(former: readonly unknown[], present: Iterable<unknown>): readonly unknown[] {
  const all = new Set(present);
  const known = new Set(former);
  const fresh = [...all].filter((name) => !known.has(name));
  if (fresh.length === 0) return former;
  const sorted = fresh.sort((a, b) =>
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true }),
  );
  const kept = former.length + sorted.length > remembered ? former.filter((name) => all.has(name)) : former;
  return [...kept, ...sorted];
}

export interface LegendEntry {
  readonly name: unknown;
  readonly colour: string;
  readonly value: number | undefined;
}

/**
 * The figure of each series in its newest row, or in its newest row until `until`. A closed window
 * is newer than an open one, whose figure is not final, unless `until` is given.
 */
export function lastValues(
  data: Iterable<Datum>,
  fields: SeriesFields,
  time: FieldReader | undefined,
  until = Infinity,
): ReadonlyMap<unknown, number> {
  const times = new Map<unknown, number>();
  const values = new Map<unknown, number>();
  for (const datum of data) {
    const value = fields.figure?.(datum);
    if (typeof value !== 'number') continue;
    const name = fields.field(datum);
    const isOpen = until === Infinity && datum[openField] === true;
    const at = isOpen ? -Number.MAX_VALUE : time === undefined ? 0 : timeOf(time(datum));
    if (at > until || at < (times.get(name) ?? -Infinity)) continue;
    times.set(name, at);
    values.set(name, value);
  }
  return values;
}

export class Legend {
  readonly element = element('div', 'sl-legend');
  readonly #more = element('div', 'sl-legend-more');
  readonly #lines: {
    readonly line: HTMLElement;
    readonly swatch: HTMLElement;
    readonly name: HTMLElement;
    readonly value: HTMLElement;
  }[] = [];
  #width = 0;

  constructor() {
    this.element.append(this.#more);
  }

  draw(entries: readonly LegendEntry[], room: number): void {
    const shown = entries.length <= room ? entries : entries.slice(0, Math.max(room - 1, 1));
    shown.forEach((entry, index) => {
      const line = (this.#lines[index] ??= this.#addLine());
      line.line.hidden = false;
      // The property `background` would fetch an address.
      line.swatch.style.backgroundColor = entry.colour;
      const name = String(entry.name);
      setText(line.name, name);
      line.line.title = name;
      setText(line.value, entry.value === undefined ? '' : figure(entry.value));
    });
    for (const { line } of this.#lines.slice(shown.length)) line.hidden = true;
    setText(this.#more, shown.length < entries.length ? `${String(entries.length - shown.length)} more` : '');
    this.#grow(shown);
  }

  /**
   * The width follows the longest name and value, in steps, and never shrinks. So the plot beside
   * it does not jump.
   */
  #grow(entries: readonly LegendEntry[]): void {
    let widest = 0;
    for (const { name, value } of entries) {
      widest = Math.max(
        widest,
        Math.min(String(name).length, 18) + (value === undefined ? 0 : figure(value).length + 2),
      );
    }
    const width = Math.ceil((widest + 3) / 4) * 4;
    if (width <= this.#width) return;
    this.#width = width;
    this.element.style.setProperty('--sl-legend-width', `${String(width)}ch`);
  }

  #addLine() {
    const swatch = element('span', 'sl-swatch');
    const name = element('span', 'sl-legend-name');
    const value = element('span', 'sl-legend-value');
    const line = element('div', 'sl-legend-line', swatch, name, value);
    this.#more.before(line);
    return { line, swatch, name, value };
  }
}
