// Fills a line of a table: one cell for each column. The nodes of the line are used again.
import { element, setClass, setText } from './element.ts';
import type { Column, TableCell } from './table-columns.ts';

/** Without `cellOf` the line has no row, and its cells are empty. */
export function fillLine(
  tr: HTMLTableRowElement,
  columns: readonly Column[],
  cellOf: ((column: Column) => TableCell) | undefined,
): void {
  columns.forEach((column, index) => {
    const td = (tr.children[index] as HTMLTableCellElement | undefined) ?? tr.appendChild(element('td'));
    if (cellOf === undefined) {
      setText(td, '');
      setClass(td, '');
      return;
    }
    const { text, title, kind } = cellOf(column);
    setText(td, text);
    if (td.title !== title) td.title = title;
    setClass(td, `sl-is-${kind}${column.alignsRight ? ' sl-right' : ''}${column.isOwn ? ' sl-own' : ''}`);
  });
}
