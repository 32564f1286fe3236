// What the cells of a job print. The executor limits the lines of a cell per second; the job says
// how many it left out, before the next line that is there and at the end.
interface Printed {
  readonly cell: string;
  readonly lines: readonly { readonly text: string }[];
  readonly dropped: number;
}

export class JobConsoles {
  readonly #dropped = new Map<string, number>();

  lines({ cell, lines, dropped }: Printed): readonly string[] {
    const before = this.#dropped.get(cell) ?? 0;
    const isNoted = before > 0 && lines.length > 0;
    this.#dropped.set(cell, (isNoted ? 0 : before) + dropped);
    const texts = lines.map(({ text }) => text);
    return isNoted ? [leftOut(before), ...texts] : texts;
  }
  /** What is not said yet: one line for each cell. */
  rest(): readonly (readonly [cell: string, line: string])[] {
    const rest = [...this.#dropped].filter(([, count]) => count > 0);
    this.#dropped.clear();
    return rest.map(([cell, count]) => [cell, leftOut(count)] as const);
  }
}

function leftOut(count: number): string {
  const lines = count === 1 ? 'line is' : 'lines are';
  return `… ${count.toLocaleString('en-US')} ${lines} left out: a cell prints at most 20 lines a second`;
}
