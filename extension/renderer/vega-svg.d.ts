// The SVG renderer of Vega, which Vega exports without types. Only the part that `chart-paint.ts`
// uses is declared.
import type { Handler, Renderer } from 'vega';

declare module 'vega' {
  /** An item of a mark, of an axis or of a legend. */
  export interface PaintedItem {
    readonly fill?: unknown;
    readonly stroke?: unknown;
  }
  export class SVGRenderer extends Renderer {
    /** Writes the colours and other styles of an item to its element. */
    style(element: SVGElement, item: PaintedItem | null | undefined): void;
  }
  export class SVGHandler extends Handler {}
}
