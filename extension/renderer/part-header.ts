// The line above a display: its title and figures, and the actions that appear on hover and on
// focus.
import { element, setClass, setText, setTitle, svgElement } from './element.ts';
import { rowCount } from './format.ts';

const icons = {
  freeze: ['M4 3h3v10H4z', 'M9 3h3v10H9z'],
  resume: ['M4 2.5v11l9-5.5z'],
  data: ['M7.4 2h1.2v6.6l2.3-2.3.85.85L8 10.9 4.25 7.15l.85-.85 2.3 2.3z', 'M3 12.8h10V14H3z'],
} as const;

function icon(name: keyof typeof icons): SVGSVGElement {
  return svgElement(
    'svg',
    { viewBox: '0 0 16 16', width: 12, height: 12, 'aria-hidden': 'true', fill: 'currentColor' },
    ...icons[name].map((d) => svgElement('path', { d })),
  );
}

export class PartHeader {
  readonly element = element('div', 'sl-header');
  readonly #title = element('span', 'sl-title');
  readonly #figures = element('span', 'sl-figures');
  readonly #tools = element('span', 'sl-tools');
  readonly #freeze = element('button', 'sl-tool');
  readonly #freezeText = element('span');
  #frozen: boolean | undefined;

  constructor(actions: { readonly freeze: () => void; readonly download: () => void }) {
    this.#freeze.type = 'button';
    this.#freeze.addEventListener('click', actions.freeze);
    const data = element('button', 'sl-tool', icon('data'), element('span', '', 'data'));
    data.type = 'button';
    data.setAttribute('aria-label', 'data');
    data.title = 'Save all rows that this display keeps, as JSON lines';
    data.addEventListener('click', actions.download);
    this.#tools.append(this.#freeze, data);
    this.element.append(this.#title, this.#figures, this.#tools);
    this.drawFrozen(false, 0);
  }

  /** Adds a tool to the left of the others. */
  addTool(tool: HTMLElement): void {
    this.#freeze.after(tool);
  }

  draw(title: string, figures: readonly string[]): void {
    setText(this.#title, title);
    setText(this.#figures, figures.map((figure) => ` · ${figure}`).join(''));
    setTitle(this.element, [title, ...figures].join(' · '));
  }

  drawFrozen(frozen: boolean, rowsSince: number): void {
    if (this.#frozen !== frozen) {
      this.#frozen = frozen;
      this.#freeze.replaceChildren(icon(frozen ? 'resume' : 'freeze'), this.#freezeText);
      this.#freeze.setAttribute('aria-pressed', String(frozen));
      this.#freeze.title = frozen ? 'Continue to draw new rows' : 'Stop drawing; the stream continues';
      setClass(this.#tools, frozen ? 'sl-tools sl-held' : 'sl-tools');
    }
    const text = frozen ? `frozen · ${rowCount(rowsSince)} since` : 'freeze';
    // A name has to begin with what is seen.
    this.#freeze.setAttribute('aria-label', frozen ? `${text}: go on` : text);
    setText(this.#freezeText, text);
  }
}
