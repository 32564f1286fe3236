// One row of a table, unfolded beside the others. It stays while the table moves, and the table
// keeps its height.
import { element } from './element.ts';
import { count, moment, utc } from './format.ts';
import type { ReadRow } from './table-columns.ts';
import { valueTree } from './value-tree.ts';

export class RowDetails {
  readonly element = element('aside', 'sl-details');
  readonly #closed: () => void;

  constructor(closed: () => void) {
    this.#closed = closed;
    this.element.hidden = true;
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.close();
      this.#closed();
    });
  }

  show({ row, value }: ReadRow): void {
    const time = element('time', '', moment(row.t, Date.now(), true));
    time.title = utc(row.t);
    const close = element('button', 'sl-tool', 'close');
    close.type = 'button';
    close.addEventListener('click', () => {
      this.close();
      this.#closed();
    });
    const place = row.partition === undefined ? '' : `  ${String(row.partition)}:${count(row.offset ?? 0)}`;
    const isOpen = row.open === true ? '  its window is still open' : '';
    const partial = row.partial === true ? '  contains only a part of its window' : isOpen;
    const head = element('div', 'sl-details-head', time, element('span', 'sl-dim', place + partial), close);
    this.element.replaceChildren(head, valueTree(value, true));
    this.element.hidden = false;
    close.focus({ preventScroll: true });
  }

  close(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
