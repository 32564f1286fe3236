// The notebook's cells on the page, in document order: prose as text, and code as its view with the
// code folded away.
// A cell that stays keeps its nodes.
import type { CellState, CellText, SessionView } from '../../../kernel/protocol/messages.ts';
import { element, setText } from '../element.ts';
import type { ViewLink } from '../live-view.ts';
import { LiveView } from '../live-view.ts';
import { PhaseLine } from './phase-line.ts';
import { proseHtml } from './prose.ts';

interface CellNode {
  readonly element: HTMLElement;
  readonly view?: LiveView;
  text(text: string): void;
  state(state: CellState | undefined, session?: SessionView): void;
}

export class Cells {
  readonly element = element('main', 'sl-cells');
  readonly #link: ViewLink;
  readonly #cellById = new Map<string, CellNode>();
  #session: SessionView | undefined;

  constructor(link: ViewLink) {
    this.#link = link;
  }

  view(id: string): LiveView | undefined {
    return this.#cellById.get(`code ${id}`)?.view;
  }
  *views(): Iterable<LiveView> {
    for (const { view } of this.#cellById.values()) if (view !== undefined) yield view;
  }

  draw(cells: readonly CellText[]): void {
    const shown = cells.filter((cell) => cell.kind !== 'test' && cell.text.trim() !== '');
    const keys = shown.map((cell) => `${cell.kind} ${cell.id}`);
    for (const [key, cell] of this.#cellById) {
      if (keys.includes(key)) continue;
      cell.view?.dispose();
      cell.element.remove();
      this.#cellById.delete(key);
    }
    shown.forEach((text, index) => {
      const key = keys[index]!;
      let cell = this.#cellById.get(key);
      if (cell === undefined) {
        cell = text.kind === 'markdown' ? proseCell() : codeCell(text.id, this.#link);
        this.#cellById.set(key, cell);
      }
      cell.text(text.text);
      const there = this.element.children[index];
      if (there !== cell.element) this.element.insertBefore(cell.element, there ?? null);
    });
    this.#drawStates();
  }

  states(session: SessionView): void {
    this.#session = session;
    this.#drawStates();
  }
  #drawStates(): void {
    const byId = new Map(this.#session?.cells.map((state) => [state.id, state]));
    for (const [key, cell] of this.#cellById) cell.state(byId.get(key.slice(key.indexOf(' ') + 1)), this.#session);
  }
}

function proseCell(): CellNode {
  const node = element('article', 'sl-prose');
  let drawn: string | undefined;
  return {
    element: node,
    text(text) {
      if (text === drawn) return;
      drawn = text;
      node.innerHTML = proseHtml(text);
      for (const link of node.querySelectorAll('a')) link.rel = 'noreferrer';
    },
    state: () => undefined,
  };
}

function codeCell(id: string, link: ViewLink): CellNode {
  const view = new LiveView(id, link);
  const code = element('code');
  const summary = element('summary', '', 'show code');
  const details = element('details', 'sl-code', summary, element('pre', '', code));
  details.addEventListener('toggle', () => setText(summary, details.open ? 'hide code' : 'show code'));
  const phase = new PhaseLine();
  const foot = element('div', 'sl-cell-foot', phase.element, details);
  const node = element('section', 'sl-cell-box', view.element, foot);
  node.id = `cell-${id}`;
  return {
    element: node,
    view,
    text: (text) => setText(code, text),
    state(state, session) {
      view.element.hidden = state?.hasView !== true;
      phase.draw(state, session);
    },
  };
}
