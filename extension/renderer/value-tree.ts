// A value that unfolds: objects and lists as <details>, filled when they are opened.
import { element } from './element.ts';
import { count, moment, number, utc } from './format.ts';

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
  if (value instanceof Map) return Array.from(value, ([key, inner]) => [plainText(key, 1), inner] as const);
  if (value instanceof Set) return Array.from(value, (inner, index) => [String(index), inner] as const);
  return isRecord(value) ? Object.entries(value) : undefined;
}

/** A value whose fields have names: no list, map, set, date or bytes. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (kindOf(value) !== 'nested') return false;
  return !(Array.isArray(value) || value instanceof Map || value instanceof Set);
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

/** Number of elements or fields that one line of text names. */
const namedElements = 20;
const namedFields = 50;

function plainText(value: unknown, depth: number): string {
  if (value === null || value === undefined) return depth === 0 && value === undefined ? '' : String(value);
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
  if (value instanceof Date) return moment(value.getTime(), Date.now(), true);
  if (value instanceof Uint8Array) return `${count(value.length)} bytes`;
  if (Array.isArray(value)) return listText('[', value, ']', depth);
  if (value instanceof Set) return listText('Set [', [...(value as Set<unknown>)], ']', depth);
  const entries = entriesOf(value);
  if (entries !== undefined) {
    const name = value instanceof Map ? 'Map ' : '';
    if (entries.length === 0) return `${name}{}`;
    if (depth > 1) return `${name}{…}`;
    const fields = entries.slice(0, namedFields).map(([field, inner]) => `${field}: ${plainText(inner, depth + 1)}`);
    return `${name}{ ${fields.join(', ')}${entries.length > namedFields ? ', …' : ''} }`;
  }
  // Commas separate elements and fields, so numbers among them have none.
  if (typeof value === 'number' || typeof value === 'bigint') return depth === 0 ? number(value) : String(value);
  // The wire carries no other types.
  return typeof value === 'boolean' ? String(value) : '';
}

function listText(before: string, elements: readonly unknown[], after: string, depth: number): string {
  if (depth > 1) return `${before}${elements.length === 0 ? '' : '…'}${after}`;
  const texts = elements.slice(0, namedElements).map((inner) => plainText(inner, depth + 1));
  return `${before}${texts.join(', ')}${elements.length > namedElements ? ', …' : ''}${after}`;
}
