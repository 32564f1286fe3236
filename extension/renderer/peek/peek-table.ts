// A peek's table: as high as the panel, with fixed lines over the kept rows. New rows of a live
// peek come on top, and scrolling away from the top holds them.
import { element, setClass } from '../element.ts';
import { fillLine } from '../fill-line.ts';
import type { Column, TableCell } from '../table-columns.ts';
import { TableHead } from '../table-head.ts';
import { type PeekedRow, PeekRows } from './peek-rows.ts';

const lineHeight = 20;

export class PeekTable {
  readonly element = element('div', 'sl-table sl-peek-table');
  readonly #scroller = element('div', 'sl-table-scroller');
  readonly #spacer = element('div', 'sl-table-spacer');
  readonly #table = element('table');
  readonly #head = new TableHead(this.#table);
  readonly #body = element('tbody');
  readonly #onSelect: (row: PeekedRow) => void;
  #rows = new PeekRows();
  #newestFirst = true;
  #shown: readonly PeekedRow[] = [];
  #selected: number | undefined;

  constructor(onSelect: (row: PeekedRow) => void) {
    this.#onSelect = onSelect;
    this.#table.append(this.#body);
    this.#spacer.append(this.#table);
    this.#scroller.append(this.#spacer);
    this.#scroller.tabIndex = 0;
    this.#scroller.setAttribute('role', 'region');
    this.#scroller.setAttribute('aria-label', 'Records');
    this.#scroller.addEventListener('scroll', () => this.#fill(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('click', (event) => this.#clicked(event));
    new ResizeObserver(() => this.#fill()).observe(this.#scroller);
    this.element.append(this.#scroller);
  }

  clear(newestFirst: boolean): PeekRows {
    this.#rows = new PeekRows();
    this.#newestFirst = newestFirst;
    this.#selected = undefined;
    this.#head.clear();
    this.#body.replaceChildren();
    this.#scroller.scrollTo(0, 0);
    this.draw(false);
    return this.#rows;
  }

  draw(columnsChanged: boolean): void {
    if (columnsChanged) this.#head.draw(this.#rows.columns.columns);
    const before = this.#shown;
    this.#shown = this.#newestFirst ? this.#rows.rows.toReversed() : this.#rows.rows;
    this.#spacer.style.height = `${String((this.#shown.length + 1) * lineHeight)}px`;
    // Someone who reads below the top keeps the lines, and newer ones wait above.
    const first = before[0];
    if (this.#newestFirst && this.#scroller.scrollTop > 0 && first) {
      const added = this.#shown.findIndex(({ peeked }) => peeked.n === first.peeked.n);
      if (added > 0) this.#scroller.scrollTop += added * lineHeight;
    }
    this.#fill();
  }

  focus(): void {
    this.#scroller.focus();
  }
  select(n: number | undefined): void {
    this.#selected = n;
    this.#fill();
  }

  #fill(): void {
    const lines = Math.max(1, Math.ceil(this.#scroller.clientHeight / lineHeight));
    while (this.#body.children.length < lines) this.#body.append(element('tr'));
    while (this.#body.children.length > lines) this.#body.lastElementChild?.remove();
    const first = Math.floor(this.#scroller.scrollTop / lineHeight);
    const { columns } = this.#rows.columns;
    for (let line = 0; line < lines; line++) {
      const tr = this.#body.children[line] as HTMLTableRowElement;
      const row = this.#shown[first + line];
      const mark = row === undefined ? 'sl-none' : row.peeked.problem === undefined ? '' : 'sl-bad';
      setClass(tr, row !== undefined && row.peeked.n === this.#selected ? `${mark} sl-selected`.trim() : mark);
      fillLine(tr, columns, row && ((column) => this.#cell(column, row)));
    }
  }
  #cell(column: Column, row: PeekedRow): TableCell {
    return column.name === 'time' && column.isOwn && row.row.t < 0 ? noTime : this.#rows.columns.cell(column, row);
  }

  #clicked(event: MouseEvent): void {
    const tr = (event.target as Element).closest('tr');
    if (tr === null || getSelection()?.isCollapsed === false) return;
    const line = [...this.#body.children].indexOf(tr);
    this.#choose(Math.floor(this.#scroller.scrollTop / lineHeight) + line);
  }
  #key(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = this.#shown.findIndex(({ peeked }) => peeked.n === this.#selected);
    const next = Math.max(0, Math.min(this.#shown.length - 1, at < 0 ? 0 : at + step));
    const top = next * lineHeight;
    const height = this.#scroller.clientHeight - 2 * lineHeight;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top > this.#scroller.scrollTop + height) this.#scroller.scrollTop = top - height;
    this.#choose(next);
  }
  #choose(index: number): void {
    const row = this.#shown[index];
    if (row === undefined) return;
    this.select(row.peeked.n);
    this.#onSelect(row);
  }
}

const noTime = { text: '—', title: 'The record has no timestamp', kind: 'nothing' } as const;
