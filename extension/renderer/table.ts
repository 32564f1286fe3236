// A live table, newest row first: a fixed number of lines with fixed nodes, over the kept rows.
// A reader who freezes it, clicks a row, selects text or scrolls in it holds its rows; new ones are
// counted. The wheel scrolls in it only after a click or a focus, so that scrolling past it holds
// nothing.
import type { TablePart } from '../../kernel/protocol/displays.ts';
import { CaptionLine } from './caption.ts';
import { element, setClass, setText } from './element.ts';
import { fillLine } from './fill-line.ts';
import { rate } from '../../kernel/protocol/figures.ts';
import { count, rowCount } from './format.ts';
import { rowId } from '../../kernel/protocol/kept-rows.ts';
import { PartHeader } from './part-header.ts';
import type { PartHost, PartView } from './part-view.ts';
import { RowDetails } from './row-details.ts';
import type { Column, OwnColumn, ReadRow } from './table-columns.ts';
import { readRow, TableColumns } from './table-columns.ts';
import { TableHead } from './table-head.ts';

const lineHeight = 20;
const mostLines = 10;
/** The space of the horizontal scroll bar is reserved from the start. */
const scrollBar = 10;

/** Is there as soon as a row has only a part of its window. */
const ownColumns: readonly OwnColumn[] = [{ name: 'window', read: windowStateOf }];

function windowStateOf({ row }: ReadRow): string | undefined {
  if (row.open === true) return 'open';
  return row.partial === true ? 'partial' : undefined;
}
const isPartOf = (row: ReadRow): boolean => windowStateOf(row) !== undefined;

export class LiveTable implements PartView<TablePart> {
  readonly element = element('section', 'sl-part sl-table');
  readonly #header: PartHeader;
  readonly #filter = element('input', 'sl-filter');
  readonly #scroller = element('div', 'sl-table-scroller');
  readonly #spacer = element('div', 'sl-table-spacer');
  readonly #table = element('table');
  readonly #head = new TableHead(this.#table);
  readonly #body = element('tbody');
  readonly #empty = element('div', 'sl-empty', 'no rows yet');
  readonly #caption = new CaptionLine();
  readonly #details: RowDetails;
  #columns = new TableColumns(ownColumns);
  #part: TablePart | undefined;
  #held: TablePart | undefined;
  /** By the button. */
  #isFrozen = false;
  /** A row is unfolded, or text is selected. */
  #isRead = false;
  readonly #abort = new AbortController();
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
    this.#details = new RowDetails(() => {
      this.#scroller.focus({ preventScroll: true });
      this.#readOn();
    });
    this.#table.append(this.#body);
    this.#spacer.append(this.#table);
    this.#scroller.append(this.#spacer);
    this.#scroller.tabIndex = 0;
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#body.addEventListener('click', (event) => this.#clicked(event));
    const box = element('div', 'sl-table-box', this.#scroller, this.#empty, this.#details.element);
    this.element.append(this.#header.element, box, this.#caption.element);
    this.#scroller.classList.add('sl-passive');
    box.addEventListener('focusin', () => this.#scroller.classList.remove('sl-passive'));
    box.addEventListener('focusout', ({ relatedTarget }) => {
      const stays = relatedTarget instanceof Node && box.contains(relatedTarget);
      if (!stays) this.#scroller.classList.add('sl-passive');
    });
    document.addEventListener('selectionchange', () => this.#readOn(), { signal: this.#abort.signal });
  }

  draw(part: TablePart): void {
    // A smaller total: the cell was run again, or its session returned to a snapshot.
    if (this.#part !== undefined && part.total < this.#part.total) this.#startAnew(part);
    this.#part = part;
    if (this.#lines === 0) this.#layOut(Math.min(Math.max(part.limit, 1), mostLines));
    const figures = part.rate > 0 ? [rate(part.rate)] : part.total > 0 ? [rowCount(part.total)] : [];
    figures.push(part.sampled > 1 ? 'showing a sample, newest first' : 'newest first');
    this.#header.draw(part.title, figures);
    this.#caption.draw(part.caption, Date.now());
    const held = this.#held;
    this.#header.drawFrozen(held !== undefined, part.total - (held?.total ?? part.total));
    if (held === undefined) this.#take(part);
  }

  dispose(): void {
    this.#abort.abort();
    this.#details.close();
  }

  #startAnew(part: TablePart): void {
    this.#isFrozen = false;
    this.#isRead = false;
    this.#held = undefined;
    this.#scroller.scrollTo(0, 0);
    const rows = part.rows.map(readRow);
    const isOfOtherRows = (column: Column): boolean => rows.every((row) => column.read(row) === undefined);
    if (rows.length === 0 || !this.#columns.columns.some(isOfOtherRows)) return;
    this.#columns = new TableColumns(ownColumns);
    this.#head.clear();
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
    for (const row of [...part.rows, ...(part.open ?? [])]) {
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
    if (this.#columns.learn(fresh, Date.now())) this.#head.draw(this.#columns.columns);
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
      .flatMap((column) => {
        // A number is found with and without its commas.
        const { text, title } = this.#columns.cell(column, row);
        return [text, title];
      })
      .join('\u0001')
      .toLowerCase();
  }

  #fill(): void {
    const first = Math.round(this.#scroller.scrollTop / lineHeight);
    const { columns } = this.#columns;
    for (let line = 0; line < this.#lines; line++) {
      const tr = this.#body.children[line] as HTMLTableRowElement;
      const row = this.#shown[first + line];
      setClass(tr, row === undefined ? 'sl-none' : isPartOf(row) ? 'sl-partial' : '');
      fillLine(tr, columns, row && ((column) => this.#columns.cell(column, row)));
    }
  }

  #scrolled(): void {
    this.#hold();
    this.#fill();
  }

  /** The reader has begun or ended to look at a row or to select text. */
  #readOn(): void {
    const selection = getSelection();
    const isSelected = selection?.isCollapsed === false && this.#body.contains(selection.anchorNode);
    const isRead = isSelected || !this.#details.element.hidden;
    if (isRead === this.#isRead) return;
    this.#isRead = isRead;
    this.#hold();
  }

  /** Holds the rows of this moment as long as there is a reason, and then draws the newest. */
  #hold(): void {
    const holds = this.#isFrozen || this.#isRead || this.#scroller.scrollTop > 0;
    if (holds === (this.#held !== undefined)) return;
    this.#held = holds ? this.#part : undefined;
    if (this.#part !== undefined) this.draw(this.#part);
  }

  #toggleFreeze(): void {
    const wasHeld = this.#held !== undefined;
    // The button releases rows, whatever holds them.
    if (wasHeld) {
      this.#scroller.scrollTop = 0;
      this.#details.close();
      if (this.#isRead) getSelection()?.removeAllRanges();
      this.#isRead = false;
    }
    this.#isFrozen = !wasHeld;
    this.#hold();
  }

  #clicked(event: MouseEvent): void {
    const td = (event.target as Element).closest('td');
    const tr = td?.parentElement;
    if (td === null || tr === null || tr === undefined || getSelection()?.isCollapsed === false) return;
    const line = [...this.#body.children].indexOf(tr);
    const row = this.#shown[Math.round(this.#scroller.scrollTop / lineHeight) + line];
    if (row === undefined) return;
    this.#details.show(row);
    this.#readOn();
  }
}
