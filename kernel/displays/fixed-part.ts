// Parts that are replaced as a whole: an inspected value, an error box, and the panel with the
// session's measurements.
import type { ErrorPart, Part, PartChange, ValuePart } from '../protocol/displays.ts';
import type { BackpressureHistory } from './backpressure-part.ts';
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

export class PanelPart implements LivePart {
  readonly id: string;
  readonly #history: BackpressureHistory;
  #isNew = true;
  hasChanged = true;

  constructor(id: string, history: BackpressureHistory) {
    this.id = id;
    this.#history = history;
  }
  part(): Part {
    return this.#history.part(this.id);
  }
  measured(): void {
    this.hasChanged = true;
  }
  takeChange(at: number): PartChange | undefined {
    if (!this.hasChanged) return undefined;
    const change: PartChange = this.#isNew ? { kind: 'put', part: this.part(), at } : this.#history.change(this.id);
    this.forgetChanges();
    return change;
  }
  forgetChanges(): void {
    this.#isNew = false;
    this.hasChanged = false;
  }
}
