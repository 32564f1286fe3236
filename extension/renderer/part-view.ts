// What draws one part of a view. `draw` patches the nodes it has: the element stays the same from the first frame to the last.
import type { ErrorPart, Part } from '../../kernel/protocol/displays.ts';

export interface PartView<P extends Part = Part> {
  readonly element: HTMLElement;
  draw(part: P): void;
  dispose(): void;
}

/** What a part asks of the surroundings it is drawn in. */
export interface PartHost {
  /** The user wants everything the display keeps as a file. */
  download(part: string): void;
  /** The user wants to see the place of an error; absent: places are text. */
  readonly open?: (location: NonNullable<ErrorPart['location']>) => void;
}
