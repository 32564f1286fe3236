// The DOM of one view: its parts in order. Parts that stay keep their nodes, and a frame draws only
// changed parts.
import type { Part } from '../../kernel/protocol/displays.ts';
import { cannotBeShown } from '../../kernel/protocol/values.ts';
import { BackpressurePanel } from './backpressure.ts';
import { Chart } from './chart.ts';
import { element } from './element.ts';
import { ErrorBox } from './error.ts';
import { FiguresPanel } from './figures.ts';
import { Log } from './log.ts';
import type { PartHost, PartView } from './part-view.ts';
import { LiveTable } from './table.ts';
import { Value } from './value.ts';

interface Drawn {
  readonly kind: Part['kind'];
  readonly view: PartView<Part>;
  part: Part | undefined;
  /** The reason why the part cannot be drawn. It leaves when the part is drawn again. */
  problem?: HTMLElement | undefined;
}

export class View {
  readonly element = element('div', 'sluice');
  readonly #host: PartHost;
  readonly #drawnById = new Map<string, Drawn>();

  constructor(cell: string, host: PartHost) {
    this.#host = host;
    this.element.dataset['cell'] = cell;
  }

  draw(parts: readonly Part[]): void {
    const ids = new Set(parts.map((part) => part.id));
    for (const [id, drawn] of this.#drawnById) {
      const part = parts.find((one) => one.id === id);
      if (ids.has(id) && part?.kind === drawn.kind) continue;
      drawn.view.dispose();
      drawn.view.element.remove();
      this.#drawnById.delete(id);
    }
    parts.forEach((part, index) => {
      let drawn = this.#drawnById.get(part.id);
      if (drawn === undefined) {
        drawn = { kind: part.kind, view: partView(part.kind, this.#host), part: undefined };
        this.#drawnById.set(part.id, drawn);
      }
      const there = this.element.children[index];
      if (there !== drawn.view.element) this.element.insertBefore(drawn.view.element, there ?? null);
      if (drawn.part === part) return;
      drawn.part = part;
      drawPart(drawn, part);
    });
  }

  dispose(): void {
    for (const { view } of this.#drawnById.values()) view.dispose();
    this.#drawnById.clear();
    this.element.remove();
  }
}

/** A part that cannot be drawn spoils no other part of the view. */
function drawPart(drawn: Drawn, part: Part): void {
  drawn.problem?.remove();
  drawn.problem = undefined;
  try {
    drawn.view.draw(part);
  } catch (error) {
    drawn.problem = element('div', 'sl-cannot', `This ${cannotBeShown(error)}`);
    drawn.view.element.append(drawn.problem);
  }
}

function partView(kind: Part['kind'], host: PartHost): PartView<Part> {
  // Each view draws one kind of part, and `draw` gives it no other.
  switch (kind) {
    case 'table':
      return new LiveTable(host);
    case 'chart':
      return new Chart(host);
    case 'backpressure':
      return new BackpressurePanel();
    case 'figures':
      return new FiguresPanel();
    case 'log':
      return new Log();
    case 'value':
      return new Value();
    case 'error':
      return new ErrorBox(host);
  }
}
