// The head of a table: the names and widths of its columns. Nodes that are there are used again.
import { element, setClass, setText } from './element.ts';
import type { Column } from './table-columns.ts';

export class TableHead {
  readonly #table: HTMLElement;
  readonly #columnGroup = element('colgroup');
  readonly #row = element('tr');

  /** Appends the head to the table. The body of the table comes behind it. */
  constructor(table: HTMLElement) {
    this.#table = table;
    table.append(this.#columnGroup, element('thead', '', this.#row));
  }
  clear(): void {
    this.#columnGroup.replaceChildren();
    this.#row.replaceChildren();
  }
  draw(columns: readonly Column[]): void {
    columns.forEach((column, index) => {
      const col =
        (this.#columnGroup.children[index] as HTMLElement | undefined) ?? this.#columnGroup.appendChild(element('col'));
      col.style.width = `calc(${String(column.width)}ch + 20px)`;
      const th = (this.#row.children[index] as HTMLElement | undefined) ?? this.#row.appendChild(element('th'));
      setText(th, column.name);
      setClass(th, column.alignsRight ? 'sl-right' : '');
    });
    const total = columns.reduce((sum, column) => sum + column.width, 0);
    this.#table.style.width = `calc(${String(total)}ch + ${String(columns.length * 20)}px)`;
  }
}
