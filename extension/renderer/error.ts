// An error under its cell: its place, its message, the line with a caret, the record that caused
// it, and the way out.
import type { ErrorPart } from '../../kernel/protocol/displays.ts';
import { element } from './element.ts';
import type { PartHost, PartView } from './part-view.ts';

export class ErrorBox implements PartView<ErrorPart> {
  readonly element = element('section', 'sl-part sl-error');
  readonly #host: PartHost;
  #drawn: string | undefined;

  constructor(host: PartHost) {
    this.#host = host;
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'error');
  }

  draw(part: ErrorPart): void {
    const signature = JSON.stringify(part);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    const head = element('div', 'sl-error-head', element('span', 'sl-error-mark', '✖'), this.#where(part));
    this.element.replaceChildren(head);
    if (part.where !== '') this.element.append(element('div', 'sl-error-message', part.message));
    if (part.excerpt !== undefined && part.location !== undefined)
      this.element.append(excerpt(part.excerpt, part.location));
    if (part.record !== undefined) {
      this.element.append(element('div', 'sl-error-record', element('span', 'sl-dim', 'record '), part.record));
    }
    if (part.hint !== undefined) this.element.append(element('div', 'sl-error-hint', part.hint));
    if (part.stack !== undefined && part.stack.length > 0) {
      const details = element('details', 'sl-error-stack', element('summary', '', 'stack'));
      details.append(element('pre', '', part.stack.join('\n')));
      this.element.append(details);
    }
  }

  dispose(): void {
    this.#drawn = undefined;
  }

  /** An error of the cell itself has no place before its message. */
  #where({ where, message, location }: ErrorPart): HTMLElement {
    const text = where === '' ? message : where;
    const className = where === '' ? 'sl-error-message' : 'sl-error-where';
    const open = this.#host.open;
    if (location === undefined || open === undefined) return element('span', className, text);
    const link = element('button', `${className} sl-link`, text);
    link.type = 'button';
    link.title = 'Go to the line';
    link.addEventListener('click', () => open(location));
    return link;
  }
}

function excerpt(source: string, { line, column }: { readonly line: number; readonly column: number }): HTMLElement {
  const number = String(line);
  // A tab before the caret stays a tab, so that the caret is under its character.
  const before = source.slice(0, Math.max(column - 1, 0)).replace(/[^\t]/g, ' ');
  const gutter = element('span', 'sl-gutter', `${number} │ `);
  const caretGutter = element('span', 'sl-gutter', `${' '.repeat(number.length)} │ `);
  return element('pre', 'sl-excerpt', gutter, `${source}\n`, caretGutter, before, element('span', 'sl-caret', '^'));
}
