// One record beside the table: its value, its key, its headers, and their bytes.
import type { PeekedRecord, RecordBytesView } from '../../../kernel/protocol/browse.ts';
import { shownValue } from '../../../kernel/protocol/values.ts';
import { element } from '../element.ts';
import { count, moment, utc } from '../format.ts';
import { valueTree } from '../value-tree.ts';
import type { PeekedRow } from './peek-rows.ts';

const bytesPerLine = 16;

export class PeekDetails {
  readonly element = element('aside', 'sl-details sl-peek-details');
  readonly #raw = element('div');
  readonly #closed: () => void;
  #n: number | undefined;

  constructor(closed: () => void) {
    this.#closed = closed;
    this.element.hidden = true;
    this.element.setAttribute('aria-label', 'Record');
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
  }

  /** The bytes follow with `showBytes`. */
  show({ peeked, value }: PeekedRow, topic: string): void {
    this.#n = peeked.n;
    const { t, partition, offset, problem } = peeked;
    const time = element('time', '', t < 0 ? 'no timestamp' : moment(t, Date.now(), true));
    if (t >= 0) time.title = utc(t);
    const close = element('button', 'sl-tool', 'close');
    close.type = 'button';
    close.addEventListener('click', () => this.close());
    const place = element('span', 'sl-dim', `${topic}[${String(partition)}]@${count(offset)}`);
    const parts: HTMLElement[] = [element('div', 'sl-details-head', time, place, close)];
    if (problem !== undefined) parts.push(element('div', 'sl-peek-problem', problem));
    parts.push(titled('value', value === null ? element('span', 'sl-dim', 'none') : valueTree(value, true)));
    const key = peeked.key === undefined ? element('span', 'sl-dim', 'none') : valueTree(shownValue(peeked.key), true);
    parts.push(titled('key', key), this.#raw);
    this.#raw.replaceChildren(element('div', 'sl-dim', 'reading the bytes …'));
    this.element.replaceChildren(...parts);
    this.element.hidden = false;
  }
  showBytes(n: number, record: PeekedRecord | null): void {
    if (n !== this.#n) return;
    if (record === null) {
      const text = 'The bytes of this record are not kept any more. Peek from its offset to see them.';
      this.#raw.replaceChildren(element('div', 'sl-dim', text));
      return;
    }
    const headers = record.headers.map(({ name, value }) => {
      const shown = value === undefined ? 'none' : (value.text ?? spaced(value.hex));
      return element(
        'div',
        'sl-tree-entry',
        element('span', 'sl-tree-name', `${name}: `),
        element('span', 'sl-leaf', shown),
      );
    });
    this.#raw.replaceChildren(
      titled('headers', ...(headers.length === 0 ? [element('span', 'sl-dim', 'none')] : headers)),
      titled('key bytes', hexDump(record.key)),
      titled('value bytes', hexDump(record.value)),
    );
  }
  close(): void {
    if (this.element.hidden) return;
    this.#n = undefined;
    this.element.hidden = true;
    this.#closed();
  }
}

function titled(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return element('section', 'sl-peek-section', element('div', 'sl-dim', title), ...content);
}

/** Offset, bytes and text, as a debugger shows them. */
function hexDump(view: RecordBytesView | undefined): HTMLElement {
  if (view === undefined) return element('span', 'sl-dim', 'none');
  const lines: string[] = [];
  for (let at = 0; at * 2 < view.hex.length; at += bytesPerLine) {
    const hex = view.hex.slice(at * 2, (at + bytesPerLine) * 2);
    lines.push(`${at.toString(16).padStart(4, '0')}  ${spaced(hex).padEnd(bytesPerLine * 3)} ${printable(hex)}`);
  }
  const rest = view.bytes - view.hex.length / 2;
  if (rest > 0) lines.push(`… ${count(rest)} more bytes`);
  if (view.bytes === 0) lines.push('0 bytes');
  return element('pre', 'sl-peek-hex', lines.join('\n'));
}
function spaced(hex: string): string {
  return hex.replace(/..(?!$)/g, '$& ');
}
function printable(hex: string): string {
  return hex.replace(/../g, (byte) => {
    const code = Number.parseInt(byte, 16);
    return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·';
  });
}
