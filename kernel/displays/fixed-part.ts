// Parts that are replaced as a whole: an inspected value, an error box, and panels with the
// session's measurements.
import type { ErrorPart, Part, PartChange, ValuePart } from '../protocol/displays.ts';
import type { LivePart } from './view.ts';

export class FixedPart implements LivePart {
  readonly #part: ValuePart | ErrorPart;
  hasChanged = true;

  constructor(part: ValuePart | ErrorPart) {
    this.#part = part;
  }
  get id(): string {
    return this.#part.id;
  }
  part(): Part {
    return this.#part;
  }
  takeChange(at: number): PartChange | undefined {
    if (!this.hasChanged) return undefined;
    this.hasChanged = false;
    return { kind: 'put', part: this.#part, at };
  }
  forgetChanges(): void {
    this.hasChanged = false;
  }
}

/** The measurements behind a panel. Every panel of a session shows the same ones. */
export interface PanelFigures {
  part(id: string): Part;
  /** undefined: a change is the whole part. */
  change?(id: string): PartChange;
}

export class PanelPart implements LivePart {
  readonly id: string;
  readonly #figures: PanelFigures;
  #isNew = true;
  hasChanged = true;

  constructor(id: string, figures: PanelFigures) {
    this.id = id;
    this.#figures = figures;
  }
  part(): Part {
    return this.#figures.part(this.id);
  }
  measured(): void {
    this.hasChanged = true;
  }
  takeChange(at: number): PartChange | undefined {
    if (!this.hasChanged) return undefined;
    const change = this.#isNew ? undefined : this.#figures.change?.(this.id);
    this.forgetChanges();
    return change ?? { kind: 'put', part: this.part(), at };
  }
  forgetChanges(): void {
    this.#isNew = false;
    this.hasChanged = false;
  }
}
