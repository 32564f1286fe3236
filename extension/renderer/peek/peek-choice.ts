// The choices of a peek: where it begins, and its filter. A choice that cannot be used says so in
// its place, and starts nothing.
import { element, setText } from '../element.ts';
import type { PeekChoice } from './peek-messages.ts';
import { peekFrom } from './peek-place.ts';

const kinds = [
  ['newest', 'newest, then live'],
  ['earliest', 'from the beginning'],
  ['offset', 'from an offset'],
  ['time', 'from a time'],
] as const;

export class PeekChoices {
  readonly element = element('form', 'sl-peek-choices');
  readonly problem = element('div', 'sl-peek-problem');
  readonly #kind = element('select');
  readonly #place = element('input', 'sl-peek-place');
  readonly #filter = element('input', 'sl-peek-filter');
  readonly #onChoice: (choice: PeekChoice) => void;

  constructor(onChoice: (choice: PeekChoice) => void) {
    this.#onChoice = onChoice;
    for (const [value, text] of kinds) {
      const option = element('option', '', text);
      option.value = value;
      this.#kind.append(option);
    }
    this.#kind.setAttribute('aria-label', 'Where to begin');
    this.#place.type = 'text';
    this.#filter.type = 'text';
    this.#filter.spellcheck = false;
    this.#filter.placeholder = 'filter: a TypeScript expression, such as record.amount > 100';
    this.#filter.setAttribute('aria-label', 'Filter: a TypeScript expression on record, key and meta');
    this.#filter.title = 'record, key and meta (topic, partition, offset, timestamp, headers). Enter applies it.';
    const submit = element('button', 'sl-peek-button', 'Peek');
    submit.type = 'submit';
    this.#kind.addEventListener('change', () => {
      this.#drawPlace();
      if (this.#place.hidden) this.#choose();
      else this.#place.focus();
    });
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#choose();
    });
    this.problem.hidden = true;
    this.element.append(this.#kind, this.#place, this.#filter, submit);
    this.#drawPlace();
  }

  fail(reason: string | undefined): void {
    this.problem.hidden = reason === undefined;
    setText(this.problem, reason ?? '');
  }

  #drawPlace(): void {
    const kind = this.#kind.value;
    this.#place.hidden = kind !== 'offset' && kind !== 'time';
    this.#place.value = '';
    const [example, label] =
      kind === 'offset' ? ['partition:offset, or an offset', 'Offset'] : ['2026-01-31 12:00, or 15 min ago', 'Time'];
    this.#place.placeholder = example;
    this.#place.setAttribute('aria-label', label);
  }
  #choose(): void {
    const from = peekFrom(this.#kind.value, this.#place.value, Date.now());
    if (typeof from === 'string') return this.fail(from);
    this.fail(undefined);
    this.#onChoice({ from, filter: this.#filter.value });
  }
}
