// The renderer of charts: Vega's own, except that no colour is an address. A colour may come from a
// row, and the browser fetches the address in `url(…)`.
import { type PaintedItem, renderModule, SVGHandler, SVGRenderer } from 'vega';

class PlainPaint extends SVGRenderer {
  override style(element: SVGElement, item: PaintedItem | null | undefined): void {
    super.style(element, item && (isAddress(item.fill) || isAddress(item.stroke)) ? plain(item) : item);
  }
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
