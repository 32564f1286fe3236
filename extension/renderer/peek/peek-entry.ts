// The panel of a peek: choices, a sentence about what is shown, the table, and one record beside
// it.
import type { PeekNews } from '../../../kernel/protocol/browse.ts';
import { element, setClass, setText } from '../element.ts';
import { injectStyles } from '../inject-styles.ts';
import { PeekChoices } from './peek-choice.ts';
import { PeekDetails } from './peek-details.ts';
import type { FromPeekPanel, PeekChoice, ToPeekPanel } from './peek-messages.ts';
import type { PeekRows } from './peek-rows.ts';
import { peekStatus } from './peek-status.ts';
import { PeekTable } from './peek-table.ts';

declare function acquireVsCodeApi(): { postMessage(message: FromPeekPanel): void };

class PeekView {
  readonly #post = acquireVsCodeApi();
  readonly #title = element('span', 'sl-title');
  readonly #about = element('span', 'sl-figures');
  readonly #button = element('button', 'sl-peek-button', 'Pause');
  readonly #status = element('div', 'sl-peek-status');
  readonly #choices: PeekChoices;
  readonly #table: PeekTable;
  readonly #details: PeekDetails;
  #topic = '';
  #choice: PeekChoice = { from: { kind: 'newest' }, filter: '' };
  #rows: PeekRows;
  #news: PeekNews | undefined;

  constructor() {
    this.#choices = new PeekChoices((choice) => {
      this.#choice = choice;
      this.#send({ kind: 'open', ...choice });
    });
    this.#details = new PeekDetails(() => {
      this.#table.select(undefined);
      this.#table.focus();
    });
    this.#table = new PeekTable((row) => {
      this.#details.show(row, this.#topic);
      this.#send({ kind: 'record', n: row.peeked.n });
    });
    this.#rows = this.#table.clear(true);
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => this.#send({ kind: 'run', run: this.#news?.state !== 'reading' }));
    const cell = element('button', 'sl-peek-button', 'Open as Cell');
    cell.type = 'button';
    cell.addEventListener('click', () => this.#send({ kind: 'cell' }));
    this.#status.setAttribute('role', 'status');
    const line = element('div', 'sl-peek-line', this.#status, this.#button);
    const box = element('div', 'sl-table-box sl-peek-box', this.#table.element, this.#details.element);
    const head = element('div', 'sl-peek-head', this.#title, this.#about, cell);
    const root = element('main', 'sluice sl-peek', head, this.#choices.element, this.#choices.problem, line, box);
    document.body.append(root);
    injectStyles(root);
    this.#drawStatus();
    addEventListener('message', ({ data }: MessageEvent<ToPeekPanel>) => this.#receive(data));
    this.#send({ kind: 'ready' });
  }

  #receive(message: ToPeekPanel): void {
    switch (message.kind) {
      case 'about': {
        this.#topic = message.topic;
        setText(this.#title, message.topic);
        const { partitions } = message;
        setText(
          this.#about,
          ` · ${message.connection} · ${String(partitions)} ${partitions === 1 ? 'partition' : 'partitions'}`,
        );
        return;
      }
      case 'opening':
        this.#news = undefined;
        this.#details.close();
        this.#choices.fail(undefined);
        this.#rows = this.#table.clear(this.#choice.from.kind === 'newest');
        return this.#drawStatus();
      case 'news':
        this.#news = message.news;
        this.#table.draw(this.#rows.add(message.news, Date.now()));
        return this.#drawStatus();
      case 'failed':
        this.#news = undefined;
        this.#choices.fail(message.reason);
        setText(this.#status, 'nothing is read');
        this.#button.hidden = true;
        return;
      case 'record':
        return this.#details.showBytes(message.n, message.record);
    }
  }

  #drawStatus(): void {
    const { rows, dropped } = this.#rows;
    const { from, filter } = this.#choice;
    const { text, isProblem, action } = peekStatus(this.#news, { from, filter, shown: rows.length, dropped });
    setText(this.#status, text);
    setClass(this.#status, isProblem ? 'sl-peek-status sl-peek-problem' : 'sl-peek-status');
    this.#button.hidden = action === undefined;
    setText(this.#button, action === 'continue' ? 'Continue' : 'Pause');
  }
  #send(message: FromPeekPanel): void {
    this.#post.postMessage(message);
  }
}

new PeekView();
