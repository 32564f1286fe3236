// Creates a DOM node in one expression, and writes text only if it has changed, because writing the
// same text costs a layout.

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className !== '') node.className = className;
  node.append(...children);
  return node;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Node[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function setText(node: HTMLElement, text: string): void {
  const child = node.firstChild;
  if (child instanceof Text && child.nextSibling === null) {
    if (child.data !== text) child.data = text;
  } else {
    node.textContent = text;
  }
}

export function setClass(node: Element, className: string): void {
  if (node.getAttribute('class') !== className) node.setAttribute('class', className);
}
export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The tooltip of a text that changes all the time. It stays as it is while somebody reads it. */
export function setTitle(node: HTMLElement, title: string): void {
  if (node.title !== title && !node.matches(':hover')) node.title = title;
}
