// The renderer of charts: Vega's own, with three changes. No colour is an address: a colour may
// come from a row, and the browser fetches the address in `url(…)`. A line keeps its path when its
// first row leaves. And a long line is drawn in pieces.
import { type PaintedElement, type PaintedItem, renderModule, SVGHandler, SVGRenderer } from 'vega';
import { drawInPieces } from './line-pieces.ts';

class PlainPaint extends SVGRenderer {
  /** The lines that this picture has written. */
  readonly #lines = new Set<PaintedElement>();

  override style(element: PaintedElement, item: PaintedItem | null | undefined): void {
    super.style(element, item && (isAddress(item.fill) || isAddress(item.stroke)) ? plain(item) : item);
    if (item?.mark?.marktype === 'line') this.#lines.add(element);
  }

  override _render(...given: readonly unknown[]): this {
    this._dirty = this._dirty.map(stayingItem);
    super._render(...given);
    for (const line of this.#lines) drawInPieces(line);
    this.#lines.clear();
    return this;
  }
}

/**
 * A line is one path of many items, and its first item has the path. For the next first item Vega
 * makes a new path and walks through the whole chart, in each picture of a live chart. So the path
 * is handed on, and the change of an item that has left is one of the first item.
 */
function stayingItem(item: PaintedItem): PaintedItem {
  const { mark, _svg: path } = item;
  if (item.exit !== true || !['line', 'area', 'trail'].includes(mark?.marktype ?? '')) return item;
  const first = mark?.items[0];
  if (first === undefined) return item;
  if (path && !first._svg) {
    first._svg = path;
    path.__data__ = first;
  }
  item._svg = null;
  return first;
}

/** A backslash could hide the name of a function. */
function isAddress(paint: unknown): boolean {
  return typeof paint === 'string' && /\\|(?:url|src|image|image-set)\s*\(/i.test(paint);
}

/** The same item with other colours. The item itself belongs to the dataflow. */
function plain(item: PaintedItem): PaintedItem {
  return Object.create(item, {
    ...(isAddress(item.fill) && { fill: { value: 'none' } }),
    ...(isAddress(item.stroke) && { stroke: { value: 'none' } }),
  }) as PaintedItem;
}

/** Vega takes the renderer of the name "svg" from this table. */
export function usePlainPaint(): void {
  renderModule('svg', { renderer: PlainPaint, handler: SVGHandler });
}
