// The output that a cell printed: at most 20 lines a second, the last 500 lines, and the number of
// omitted lines.
import { cutText } from '../protocol/display-cut.ts';
import type { LogLine, LogPart, PartChange } from '../protocol/displays.ts';

const keptLines = 500;
const linesPerSecond = 20;

export class CellLog {
  readonly id = 'log';
  #lines: readonly LogLine[] = [];
  #sentTo = 0;
  #dropped = 0;
  #n = 0;
  #isNew = true;
  #changed = false;
  #second = -1;
  #inSecond = 0;

  /** `dropped` is the number of lines that the executor has already omitted. */
  add(lines: readonly Omit<LogLine, 'n'>[], dropped: number): void {
    this.#dropped += dropped;
    const accepted: LogLine[] = [];
    for (const line of lines) {
      const second = Math.floor(line.at / 1000);
      if (second !== this.#second) {
        this.#second = second;
        this.#inSecond = 0;
      }
      if (++this.#inSecond > linesPerSecond) {
        this.#dropped++;
        continue;
      }
      const numbered: LogLine = { n: ++this.#n, ...line, text: cutText(line.text) };
      accepted.push(numbered);
    }
    this.#lines = [...this.#lines, ...accepted].slice(-keptLines);
    this.#changed ||= lines.length > 0 || dropped > 0;
  }

  takeChange(at: number): PartChange | undefined {
    if (!this.hasChanged) return undefined;
    const isNew = this.#isNew;
    const lines = this.#lines.filter(({ n }) => n > this.#sentTo);
    this.forgetChanges();
    return isNew
      ? { kind: 'put', part: this.part(), at }
      : { kind: 'lines', id: this.id, lines, dropped: this.#dropped };
  }
  get hasChanged(): boolean {
    return this.#isNew || this.#changed;
  }
  forgetChanges(): void {
    this.#sentTo = this.#n;
    this.#isNew = false;
    this.#changed = false;
  }
  part(): LogPart {
    return { kind: 'log', id: this.id, lines: this.#lines, dropped: this.#dropped };
  }
}
