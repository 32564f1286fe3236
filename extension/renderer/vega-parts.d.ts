// The parts of Vega that Vega exports without types: its SVG renderer and its dataflow. Only what
// `chart-paint.ts` and `chart-memory.ts` use is declared.
import type { Handler, Renderer } from 'vega';

declare module 'vega' {
  /** An item of a mark, of an axis or of a legend. */
  export interface PaintedItem {
    readonly fill?: unknown;
    readonly stroke?: unknown;
    readonly mark?: { readonly marktype: string; readonly items: readonly PaintedItem[] };
    /** It has left the chart. */
    readonly exit?: boolean;
    _svg?: PaintedElement | null;
  }
  export interface PaintedElement extends SVGElement {
    /** The attributes as Vega has written them. It writes only changed ones. */
    readonly __values__?: { readonly d?: unknown };
    /** Vega's handler reads it of the element under the pointer. */
    __data__?: PaintedItem;
  }
  export class SVGRenderer extends Renderer {
    /** Writes the colours and other styles of an item to its element. */
    style(element: PaintedElement, item: PaintedItem | null | undefined): void;
    /** The items that have changed since the last picture. */
    _dirty: PaintedItem[];
    /** Writes one picture. */
    _render(...given: readonly unknown[]): this;
  }
  export class SVGHandler extends Handler {}

  /** A change on its way through the dataflow. */
  export interface DataPulse {
    readonly REM: number;
    /** What follows shall clean its tables. */
    cleans?: boolean;
    visit(flags: number, visitor: (datum: unknown) => void): void;
  }
  export interface DataTransform {
    /** The derived datum of each datum, by its id. */
    readonly value: Record<number, unknown> | undefined;
    transform(parameters: object, pulse: DataPulse): DataPulse | undefined;
  }
}
