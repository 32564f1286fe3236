// Draws one part of a view. `draw` patches existing nodes, so the element stays the same from the
// first frame to the last.
import type { ErrorPart, Part } from '../../kernel/protocol/displays.ts';

export interface PartView<P extends Part = Part> {
  readonly element: HTMLElement;
  draw(part: P): void;
  dispose(): void;
}

/** Actions that a part requests from its environment. */
export interface PartHost {
  /** Saves all rows that the display keeps to a file. */
  download(part: string): void;
  /** Shows the place of an error. Absent: places are plain text. */
  readonly open?: (location: NonNullable<ErrorPart['location']>) => void;
}
