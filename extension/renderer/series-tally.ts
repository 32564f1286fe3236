// What a chart's rows say to its spec: the names of the series, those with one row, and whether a
// row has only a part of its window.
import type { Datum } from './chart-rows.ts';
import { type FieldReader, partialField } from './chart-spec.ts';

export class SeriesTally {
  readonly #rowsByName = new Map<unknown, number>();
  #parts = 0;

  /** `read` gives the series of a row. Absent: all rows are one series with the name null. */
  change(inserted: readonly Datum[], removed: readonly Datum[], read: FieldReader | undefined): void {
    for (const datum of inserted) this.#count(datum, 1, read);
    for (const datum of removed) this.#count(datum, -1, read);
  }
  #count(datum: Datum, step: 1 | -1, read: FieldReader | undefined): void {
    const name = read === undefined ? null : read(datum);
    const rows = (this.#rowsByName.get(name) ?? 0) + step;
    if (rows === 0) this.#rowsByName.delete(name);
    else this.#rowsByName.set(name, rows);
    if (datum[partialField] === true) this.#parts += step;
  }

  get names(): Iterable<unknown> {
    return this.#rowsByName.keys();
  }
  get lone(): readonly unknown[] {
    return [...this.#rowsByName].flatMap(([name, rows]) => (rows === 1 ? [name] : []));
  }
  get hasParts(): boolean {
    return this.#parts > 0;
  }
}
