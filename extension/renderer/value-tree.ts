// A value that unfolds: objects and lists as <details>, filled when they are opened.
import { element } from './element.ts';
import { count, moment, utc } from './format.ts';

/** A longer list is cut, and a line shows the number of further elements. */
const longest = 200;

export function valueTree(value: unknown, isOpen = false): HTMLElement {
  const entries = entriesOf(value);
  if (entries === undefined) return leaf(value);
  const details = element('details', 'sl-tree');
  details.append(element('summary', '', valueText(value, 240)));
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(children(entries));
  });
  details.open = isOpen;
  if (isOpen) details.append(children(entries));
  return details;
}

function children(entries: readonly (readonly [string, unknown])[]): HTMLElement {
  const list = element('div', 'sl-tree-children');
  for (const [name, inner] of entries.slice(0, longest)) {
    list.append(element('div', 'sl-tree-entry', element('span', 'sl-tree-name', `${name}: `), valueTree(inner)));
  }
  if (entries.length > longest) list.append(element('div', 'sl-dim', `… ${count(entries.length - longest)} more`));
  return list;
}

function leaf(value: unknown): HTMLElement {
  const span = element('span', `sl-leaf sl-is-${kindOf(value)}`, valueText(value, Infinity));
  if (value instanceof Date) span.title = utc(value.getTime());
  return span;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((inner, index) => [String(index), inner] as const);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array)
    return undefined;
  return Object.entries(value);
}

export type ValueKind = 'number' | 'date' | 'boolean' | 'string' | 'nothing' | 'nested' | 'bytes';

export function kindOf(value: unknown): ValueKind {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof Date) return 'date';
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value === 'object' ? 'nested' : 'string';
}

/** One line of text for any value, cut at `limit` characters. */
export function valueText(value: unknown, limit: number): string {
  const text = plainText(value, 0);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

function plainText(value: unknown, depth: number): string {
  if (value === null || value === undefined) return depth === 0 && value === undefined ? '' : String(value);
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
  if (value instanceof Date) return moment(value.getTime(), Date.now(), true);
  if (value instanceof Uint8Array) return `${count(value.length)} bytes`;
  if (Array.isArray(value)) {
    if (depth > 1) return `[${value.length === 0 ? '' : '…'}]`;
    return `[${value
      .slice(0, 20)
      .map((inner) => plainText(inner, depth + 1))
      .join(', ')}${value.length > 20 ? ', …' : ''}]`;
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 0) return '{}';
    if (depth > 1) return '{…}';
    return `{ ${entries.map(([name, inner]) => `${name}: ${plainText(inner, depth + 1)}`).join(', ')} }`;
  }
  // The wire carries no other types.
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : '';
}
