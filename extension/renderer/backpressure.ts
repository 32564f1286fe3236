// The backpressure panel: operators grouped by cell, with their shares of the last second as bars
// and figures, and their level.
// The operator that limits the flow is marked and explained.
import type { BackpressurePart, OperatorRow } from '../../kernel/protocol/displays.ts';
import { element, setAttribute, setClass, setText } from './element.ts';
import { count, percent, perSecond } from './format.ts';
import type { PartView } from './part-view.ts';
import { Sparkline } from './sparkline.ts';

const headings = [
  ['operator', ''],
  ['in/s', 'sl-right sl-number'],
  ['out/s', 'sl-right sl-number'],
  ['busy', 'sl-share'],
  ['idle', 'sl-share sl-share-idle'],
  ['backpressured', 'sl-share'],
  ['level', ''],
  ['last 5 min', 'sl-history'],
  ['', 'sl-why'],
] as const;

export class BackpressurePanel implements PartView<BackpressurePart> {
  readonly element = element('section', 'sl-part sl-backpressure');
  readonly #title = element('span', 'sl-title', 'backpressure');
  readonly #thread = element('span', 'sl-figures');
  readonly #verdict = element('span', 'sl-verdict');
  readonly #table = element('table');
  readonly #rowById = new Map<string, OperatorLine>();
  readonly #headByCell = new Map<string, HTMLTableRowElement>();
  readonly #body = element('tbody');

  constructor() {
    const head = element('tr');
    for (const [heading, className] of headings) {
      const words =
        heading === 'backpressured'
          ? [element('span', 'sl-wide', heading), element('span', 'sl-short', 'held back')]
          : [heading];
      head.append(element(heading === '' ? 'td' : 'th', className, ...words));
    }
    this.#table.append(element('thead', '', head), this.#body);
    this.element.append(
      element('div', 'sl-header', this.#title, this.#thread, this.#verdict),
      element('div', 'sl-backpressure-scroller', this.#table),
    );
  }

  draw(part: BackpressurePart): void {
    setText(this.#thread, ` · thread ${percent(part.thread)} busy`);
    const culprit = part.operators.find((operator) => operator.culprit !== undefined);
    setText(this.#verdict, culprit === undefined ? '' : ` · ${culprit.name} ${culprit.culprit ?? ''}`);
    const points = new Map(part.history.map((series) => [series.id, series.points]));
    const nodes: Element[] = [];
    for (const [cell, operators] of groupByCell(part.operators)) {
      nodes.push(this.#head(cell));
      for (const operator of operators) {
        const line = this.#line(operator.id);
        line.draw(operator, points.get(operator.id) ?? []);
        nodes.push(line.element);
      }
    }
    this.#arrange(nodes);
  }

  dispose(): void {
    this.#rowById.clear();
    this.#headByCell.clear();
  }

  /**
   * Puts the rows in order and removes rows of former operators. Rows that are in place are not
   * touched.
   */
  #arrange(nodes: readonly Element[]): void {
    nodes.forEach((node, index) => {
      const there = this.#body.children[index];
      if (there !== node) this.#body.insertBefore(node, there ?? null);
    });
    while (this.#body.children.length > nodes.length) this.#body.lastElementChild?.remove();
    const shown = new Set(nodes);
    for (const [id, line] of this.#rowById) if (!shown.has(line.element)) this.#rowById.delete(id);
    for (const [cell, head] of this.#headByCell) if (!shown.has(head)) this.#headByCell.delete(cell);
  }

  #head(cell: string): HTMLTableRowElement {
    let head = this.#headByCell.get(cell);
    if (head === undefined) {
      const name = element('th', 'sl-cell-name', element('span', 'sl-dim', 'cell '), cell);
      name.colSpan = headings.length;
      head = element('tr', 'sl-cell', name);
      this.#headByCell.set(cell, head);
    }
    return head;
  }

  #line(id: string): OperatorLine {
    let line = this.#rowById.get(id);
    if (line === undefined) {
      line = new OperatorLine();
      this.#rowById.set(id, line);
    }
    return line;
  }
}

class OperatorLine {
  readonly #name = element('span');
  readonly #mark = element('span', 'sl-slow');
  readonly #in = element('td', 'sl-right sl-number');
  readonly #out = element('td', 'sl-right sl-number');
  readonly #busy = new Share('busy');
  readonly #idle = new Share('idle');
  readonly #held = new Share('held');
  readonly #level = element('td', 'sl-level');
  readonly #spark = new Sparkline();
  readonly #why = element('td', 'sl-why');
  readonly element = element(
    'tr',
    '',
    element('td', 'sl-operator', this.#name, this.#mark),
    this.#in,
    this.#out,
    this.#busy.element,
    this.#idle.element,
    this.#held.element,
    this.#level,
    element('td', 'sl-history', this.#spark.element),
    this.#why,
  );

  draw(operator: OperatorRow, points: readonly number[]): void {
    const isCulprit = operator.culprit !== undefined;
    setClass(this.element, `sl-level-${operator.level.toLowerCase()}${isCulprit ? ' sl-culprit' : ''}`);
    setText(this.#name, operator.name);
    setText(this.#mark, isCulprit ? '◀ slow' : '');
    setText(this.#in, perSecond(operator.inPerSecond));
    setText(this.#out, perSecond(operator.outPerSecond));
    setAttribute(this.#in, 'title', `${count(operator.recordsIn)} records in`);
    setAttribute(this.#out, 'title', `${count(operator.recordsOut)} records out`);
    this.#busy.draw(operator.busy);
    this.#idle.draw(operator.idle);
    this.#held.draw(operator.backpressured);
    setText(this.#level, operator.level);
    this.#spark.draw(points, `backpressured share of ${operator.name} in the last five minutes`);
    const late = operator.late > 0 ? `${count(operator.late)} late` : '';
    const why = [operator.culprit ?? '', late].filter(Boolean).join(' · ');
    setText(this.#why, why);
    setAttribute(this.#why, 'title', why);
  }
}

/** A share as a bar and a figure. */
class Share {
  readonly #fill = element('span', 'sl-fill');
  readonly #figure = element('span', 'sl-share-figure');
  readonly element: HTMLElement;

  constructor(kind: 'busy' | 'idle' | 'held') {
    this.element = element('td', `sl-share sl-share-${kind}`, element('span', 'sl-bar', this.#fill), this.#figure);
  }

  draw(share: number): void {
    const width = `${String(Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 10)}%`;
    if (this.#fill.style.width !== width) this.#fill.style.width = width;
    setText(this.#figure, percent(share));
  }
}

function groupByCell(operators: readonly OperatorRow[]): ReadonlyMap<string, readonly OperatorRow[]> {
  return Map.groupBy(operators, (operator) => operator.cell);
}
