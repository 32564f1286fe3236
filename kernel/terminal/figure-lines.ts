// A panel of figures as lines of text: a table for each group.
import type { FigureGroup, FigureRow, FiguresPart } from '../protocol/displays.ts';
import { figureText } from '../protocol/figures.ts';
import { timeAsText } from '../session/reasons.ts';
import { paint } from './paint.ts';
import { lineText } from './terminal-text.ts';

const colours = { bad: paint.red, slow: paint.yellow, quiet: paint.dim } as const;

export function figureLines({ title, groups, note }: FiguresPart, now: number): readonly string[] {
  return [
    lineText(title),
    ...groups.flatMap((group) => groupLines(group, now)),
    ...(note ? [paint.dim(lineText(note))] : []),
  ];
}

function groupLines({ name, columns, rows, note }: FigureGroup, now: number): readonly string[] {
  const head = [name, ...columns].map(lineText);
  const texts = rows.map(({ figures }) => figures.map((one) => lineText(figureText(one, (at) => timeAsText(at, now)))));
  const widths = head.map((_, column) => Math.max(...[head, ...texts].map((line) => line[column]?.length ?? 0)));
  const isText = head.map((_, column) => rows.every(({ figures }) => isWords(figures[column])));
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, column) => (isText[column] ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const painted = ({ tone }: FigureRow, text: string): string => (tone ? colours[tone](text) : text);
  return [
    paint.dim(line(head)),
    ...rows.map((row, index) => painted(row, line(texts[index]!))),
    ...(note === undefined ? [] : [paint.dim(lineText(note))]),
  ];
}
function isWords(figure: FigureRow['figures'][number] | undefined): boolean {
  return figure === undefined || figure === null || typeof figure === 'string';
}
