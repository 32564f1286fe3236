// The constants of an exported job, evaluated at the export. The job only reads them.
import { constantOf } from '../cells/constant-text.ts';
import type { KeptData } from '../cells/kept-data.ts';
import type { JobData } from './job-data.ts';

export function embeddedConstants({ cells }: JobData): (cell: string) => KeptData | undefined {
  const byCell = new Map(cells.flatMap(({ id, constants }) => (constants ? [[id, constants] as const] : [])));
  return (cell) => {
    const texts = byCell.get(cell);
    if (texts === undefined) return undefined;
    return { values: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, constantOf(text)])) };
  };
}
