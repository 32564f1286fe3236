// A panel of figures: a table for each group. Rows and cells that stay are patched in place.
import type { Figure, FigureGroup, FigureRow, FiguresPart } from '../../kernel/protocol/displays.ts';
import { figureText } from '../../kernel/protocol/figures.ts';
import { element, setAttribute, setClass, setText } from './element.ts';
import { moment, utc } from './format.ts';
import type { PartView } from './part-view.ts';

export class FiguresPanel implements PartView<FiguresPart> {
  readonly element = element('section', 'sl-part sl-figures-panel');
  readonly #title = element('span', 'sl-title');
  readonly #note = element('div', 'sl-caption');
  readonly #groups = element('div');
  readonly #groupById = new Map<string, Group>();

  constructor() {
    this.element.append(element('div', 'sl-header', this.#title), this.#groups, this.#note);
  }

  draw({ title, groups, note = '' }: FiguresPart): void {
    const now = Date.now();
    setText(this.#title, title);
    setText(this.#note, note);
    for (const group of groups) keptOr(this.#groupById, group.id, () => new Group()).draw(group, now);
    arrange(this.#groups, this.#groupById, groups);
  }
  dispose(): void {
    this.#groupById.clear();
  }
}

class Group {
  readonly #head = element('tr');
  readonly #body = element('tbody');
  readonly #note = element('div', 'sl-caption');
  readonly #rowById = new Map<string, Row>();
  readonly element = element(
    'div',
    'sl-figures-scroller',
    element('table', '', element('thead', '', this.#head), this.#body),
    this.#note,
  );

  draw({ name, columns, rows, note = '' }: FigureGroup, now: number): void {
    const isNumber = [name, ...columns].map((_, column) => rows.some(({ figures }) => isNumeric(figures[column])));
    cells(this.#head, 'th', columns.length + 1).forEach((cell, column) => {
      const heading = column === 0 ? name : columns[column - 1]!;
      setText(cell, heading);
      // A column of remarks has no heading.
      if (heading === '') setAttribute(cell, 'role', 'none');
      else cell.removeAttribute('role');
      setClass(cell, isNumber[column] ? 'sl-right' : '');
    });
    for (const row of rows) keptOr(this.#rowById, row.id, () => new Row()).draw(row, isNumber, now);
    arrange(this.#body, this.#rowById, rows);
    setText(this.#note, note);
    this.#note.hidden = note === '';
  }
}

class Row {
  readonly element = element('tr');

  draw({ figures, tone }: FigureRow, isNumber: readonly boolean[], now: number): void {
    setClass(this.element, tone === undefined ? '' : `sl-figures-${tone}`);
    cells(this.element, 'td', figures.length).forEach((cell, column) => {
      const figure = figures[column]!;
      setText(
        cell,
        figureText(figure, (at) => moment(at, now)),
      );
      setClass(cell, isNumber[column] ? 'sl-right sl-number' : '');
      setAttribute(cell, 'title', tooltip(figure));
    });
  }
}

function tooltip(figure: Figure): string {
  if (typeof figure === 'string') return figure;
  return figure !== null && 'time' in figure ? utc(figure.time) : '';
}
function isNumeric(figure: Figure | undefined): boolean {
  return figure !== undefined && figure !== null && typeof figure !== 'string';
}

function keptOr<T>(known: Map<string, T>, id: string, make: () => T): T {
  const found = known.get(id) ?? make();
  known.set(id, found);
  return found;
}
function cells(row: HTMLTableRowElement, tag: 'td' | 'th', count: number): readonly HTMLElement[] {
  while (row.children.length > count) row.lastElementChild!.remove();
  while (row.children.length < count) row.append(element(tag));
  return [...row.children] as HTMLElement[];
}
/** Puts the children in order, and forgets those that are not in the list. */
function arrange(
  parent: Element,
  known: Map<string, { readonly element: Element }>,
  order: readonly { readonly id: string }[],
): void {
  const wanted = new Set(order.map(({ id }) => id));
  for (const [id, { element: former }] of known) {
    if (wanted.has(id)) continue;
    former.remove();
    known.delete(id);
  }
  order.forEach(({ id }, index) => {
    const { element: child } = known.get(id)!;
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
