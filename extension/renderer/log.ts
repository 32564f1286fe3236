// The log of a cell. It grows to a limit, then scrolls. It stays at the end unless the reader has
// scrolled up.
import type { LogLine, LogPart } from '../../kernel/protocol/displays.ts';
import { element, setText } from './element.ts';
import { clock, count, utc } from './format.ts';
import type { PartView } from './part-view.ts';

const marks = { log: '', info: '', debug: 'debug', warn: 'warning', error: 'error' } as const;

export class Log implements PartView<LogPart> {
  readonly element = element('section', 'sl-part sl-log');
  readonly #lines = element('div', 'sl-log-lines');
  readonly #dropped = element('div', 'sl-log-dropped');
  readonly #nodeByNumber = new Map<number, HTMLElement>();

  constructor() {
    this.#lines.tabIndex = 0;
    this.#lines.setAttribute('role', 'log');
    // A live region would make a screen reader speak every line, so it is off.
    this.#lines.setAttribute('aria-live', 'off');
    this.element.append(this.#lines, this.#dropped);
  }

  draw({ lines, dropped }: LogPart): void {
    const box = this.#lines;
    const wasAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
    const present = new Set(lines.map((line) => line.n));
    for (const [n, node] of this.#nodeByNumber) {
      if (present.has(n)) continue;
      node.remove();
      this.#nodeByNumber.delete(n);
    }
    for (const line of lines) {
      if (this.#nodeByNumber.has(line.n)) continue;
      const node = lineNode(line);
      this.#nodeByNumber.set(line.n, node);
      box.append(node);
    }
    if (wasAtEnd) box.scrollTop = box.scrollHeight;
    this.#dropped.hidden = dropped === 0;
    setText(
      this.#dropped,
      `${count(dropped)} ${dropped === 1 ? 'line' : 'lines'} omitted, because there were too many per second to read`,
    );
  }

  dispose(): void {
    this.#nodeByNumber.clear();
  }
}

function lineNode(line: LogLine): HTMLElement {
  const time = element('time', '', clock(line.at, true));
  time.title = utc(line.at);
  const mark = marks[line.level];
  return element(
    'div',
    `sl-log-line sl-log-${line.level}`,
    time,
    ...(mark === '' ? [] : [element('span', 'sl-log-mark', mark)]),
    element('span', 'sl-log-text', line.text),
  );
}
