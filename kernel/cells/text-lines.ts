// Converts between offsets and lines and columns of one text, with lines as editors count them.
// '\n', '\r\n' and '\r' end a line. All numbers are zero-based.

export interface Position {
  readonly line: number;
  readonly column: number;
}

export class TextLines {
  readonly text: string;
  readonly #starts: number[];
  constructor(text: string) {
    this.text = text;
    this.#starts = [0];
    for (const ending of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(ending.index + ending[0].length);
  }
  get count(): number {
    return this.#starts.length;
  }
  /** The line without its ending; '' past the end. */
  line(line: number): string {
    const start = this.#starts[line];
    return start === undefined ? '' : /^[^\r\n]*/.exec(this.text.slice(start, this.#starts[line + 1]))![0];
  }
  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low, column: offset - this.#starts[low]! };
  }
  /**
   * A place beyond the text is the end of the text. A column beyond its line is the end of the
   * line.
   */
  offset({ line, column }: Position): number {
    if (line >= this.#starts.length) return this.text.length;
    const start = this.#starts[Math.max(0, line)]!;
    return Math.min(start + Math.max(0, column), start + this.line(line).length);
  }
}
