// A live table, newest row first: a fixed number of lines with fixed nodes, over the kept rows.
// Scrolled away from the top, or frozen, it holds its rows and counts new ones.
import type { TablePart } from '../../kernel/protocol/displays.ts';
import { CaptionLine } from './caption.ts';
import { element, setClass, setText } from './element.ts';
import { rate } from '../../kernel/protocol/figures.ts';
import { count } from './format.ts';
import { rowId } from '../../kernel/protocol/kept-rows.ts';
import { PartHeader } from './part-header.ts';
import type { PartHost, PartView } from './part-view.ts';
import { RowDetails } from './row-details.ts';
import type { Column, ReadRow } from './table-columns.ts';
import { readRow, TableColumns } from './table-columns.ts';

const lineHeight = 20;
const mostLines = 10;
/** The space of the horizontal scroll bar is reserved from the start. */
const scrollBar = 10;

export class LiveTable implements PartView<TablePart> {
  readonly element = element('section', 'sl-part sl-table');
  readonly #header: PartHeader;
  readonly #filter = element('input', 'sl-filter');
  readonly #scroller = element('div', 'sl-table-scroller');
  readonly #spacer = element('div', 'sl-table-spacer');
  readonly #table = element('table');
  readonly #columnGroup = element('colgroup');
  readonly #headRow = element('tr');
  readonly #body = element('tbody');
  readonly #empty = element('div', 'sl-empty', 'no rows yet');
  readonly #caption = new CaptionLine();
  readonly #details: RowDetails;
  #columns = new TableColumns();
  #part: TablePart | undefined;
  #held: TablePart | undefined;
  #isFrozen = false;
  #read = new Map<string, ReadRow>();
  #shown: readonly ReadRow[] = [];
  #lines = 0;

  constructor(host: PartHost) {
    this.#header = new PartHeader({
      freeze: () => this.#toggleFreeze(),
      download: () => this.#part && host.download(this.#part.id),
    });
    this.#filter.type = 'search';
    this.#filter.placeholder = 'filter…';
    this.#filter.setAttribute('aria-label', 'Filter the shown rows');
    this.#filter.addEventListener('input', () => this.#select());
    this.#header.addTool(this.#filter);
    this.#details = new RowDetails(() => this.#scroller.focus());
    this.#table.append(this.#columnGroup, element('thead', '', this.#headRow), this.#body);
    this.#spacer.append(this.#table);
    this.#scroller.append(this.#spacer);
    this.#scroller.tabIndex = 0;
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#body.addEventListener('click', (event) => this.#clicked(event));
    const box = element('div', 'sl-table-box', this.#scroller, this.#empty, this.#details.element);
    this.element.append(this.#header.element, box, this.#caption.element);
  }

  draw(part: TablePart): void {
    // A smaller total: the cell was run again, or its session returned to a snapshot.
    if (this.#part !== undefined && part.total < this.#part.total) this.#startAnew(part);
    this.#part = part;
    if (this.#lines === 0) this.#layOut(Math.min(Math.max(part.limit, 1), mostLines));
    const figures = part.rate > 0 ? [rate(part.rate)] : part.total > 0 ? [`${count(part.total)} rows`] : [];
    figures.push(part.sampled > 1 ? 'showing a sample, newest first' : 'newest first');
    this.#header.draw(part.title, figures);
    this.#caption.draw(part.caption, Date.now());
    const held = this.#held;
    this.#header.drawFrozen(held !== undefined, part.total - (held?.total ?? part.total));
    if (held === undefined) this.#take(part);
  }

  dispose(): void {
    this.#details.close();
  }

  #startAnew(part: TablePart): void {
    this.#isFrozen = false;
    this.#held = undefined;
    this.#scroller.scrollTo(0, 0);
    const rows = part.rows.map(readRow);
    const isOfOtherRows = (column: Column): boolean => rows.every((row) => column.read(row) === undefined);
    if (rows.length === 0 || !this.#columns.columns.some(isOfOtherRows)) return;
    this.#columns = new TableColumns();
    this.#columnGroup.replaceChildren();
    this.#headRow.replaceChildren();
    for (const line of this.#body.children) line.replaceChildren();
  }

  #layOut(lines: number): void {
    this.#lines = lines;
    this.#scroller.style.height = `${String((lines + 1) * lineHeight + scrollBar)}px`;
    for (let line = 0; line < lines; line++) this.#body.append(element('tr'));
  }

  #take(part: TablePart): void {
    const read = new Map<string, ReadRow>();
    const fresh: ReadRow[] = [];
    for (const row of part.rows) {
      const id = rowId(row);
      const known = this.#read.get(id);
      if (known?.row === row) {
        read.set(id, known);
      } else {
        const now = readRow(row);
        fresh.push(now);
        read.set(id, now);
      }
    }
    this.#read = read;
    if (this.#columns.learn(fresh, Date.now())) this.#drawColumns();
    this.#select();
  }

  /** The rows that match the filter, newest first. */
  #select(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const all = [...this.#read.values()].reverse();
    this.#shown = wanted === '' ? all : all.filter((row) => this.#textOf(row).includes(wanted));
    this.#empty.hidden = this.#shown.length > 0;
    setText(
      this.#empty,
      wanted === '' ? 'no rows yet' : `none of the ${count(all.length)} kept rows contains "${wanted}"`,
    );
    setClass(this.#filter, wanted === '' ? 'sl-filter' : 'sl-filter sl-active');
    const extra = Math.max(this.#shown.length - this.#lines, 0) * lineHeight;
    this.#spacer.style.height = `${String((this.#lines + 1) * lineHeight + extra)}px`;
    this.#fill();
  }

  #textOf(row: ReadRow): string {
    return this.#columns.columns
      .map((column) => this.#columns.cell(column, row).text)
      .join('\u0001')
      .toLowerCase();
  }

  #fill(): void {
    const first = Math.round(this.#scroller.scrollTop / lineHeight);
    const { columns } = this.#columns;
    for (let line = 0; line < this.#lines; line++) {
      const tr = this.#body.children[line] as HTMLTableRowElement;
      const row = this.#shown[first + line];
      setClass(tr, row === undefined ? 'sl-none' : row.row.partial === true ? 'sl-partial' : '');
      columns.forEach((column, index) => {
        const td = (tr.children[index] as HTMLTableCellElement | undefined) ?? tr.appendChild(element('td'));
        if (row === undefined) {
          setText(td, '');
          setClass(td, '');
          return;
        }
        const { text, title, kind } = this.#columns.cell(column, row);
        setText(td, text);
        if (td.title !== title) td.title = title;
        setClass(td, `sl-is-${kind}${column.alignsRight ? ' sl-right' : ''}${column.isOwn ? ' sl-own' : ''}`);
      });
    }
  }

  #drawColumns(): void {
    const { columns } = this.#columns;
    columns.forEach((column, index) => {
      const col =
        (this.#columnGroup.children[index] as HTMLElement | undefined) ?? this.#columnGroup.appendChild(element('col'));
      col.style.width = `calc(${String(column.width)}ch + 20px)`;
      const th = (this.#headRow.children[index] as HTMLElement | undefined) ?? this.#headRow.appendChild(element('th'));
      setText(th, column.name);
      setClass(th, column.alignsRight ? 'sl-right' : '');
    });
    const total = columns.reduce((sum, column) => sum + column.width, 0);
    this.#table.style.width = `calc(${String(total)}ch + ${String(columns.length * 20)}px)`;
  }

  #scrolled(): void {
    const isAway = this.#scroller.scrollTop > 0;
    if (!this.#isFrozen && isAway !== (this.#held !== undefined)) {
      this.#held = isAway ? this.#part : undefined;
      if (this.#part !== undefined) this.draw(this.#part);
    }
    this.#fill();
  }

  #toggleFreeze(): void {
    // The button also releases rows that scrolling holds.
    if (this.#held !== undefined) this.#scroller.scrollTop = 0;
    this.#isFrozen = this.#held === undefined;
    this.#held = this.#isFrozen ? this.#part : undefined;
    if (this.#part !== undefined) this.draw(this.#part);
  }

  #clicked(event: MouseEvent): void {
    const td = (event.target as Element).closest('td');
    const tr = td?.parentElement;
    if (td === null || tr === null || tr === undefined || getSelection()?.isCollapsed === false) return;
    const line = [...this.#body.children].indexOf(tr);
    const row = this.#shown[Math.round(this.#scroller.scrollTop / lineHeight) + line];
    if (row !== undefined) this.#details.show(row);
  }
}
