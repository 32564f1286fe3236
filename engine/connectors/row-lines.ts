// Rows as the lines of a file: JSON, or CSV with a header. What is written here, file() reads back.
import type { CastingContext } from 'csv-stringify';
import { stringify } from 'csv-stringify/sync';
import { SluiceError } from '../errors/error.ts';
import { rowText } from '../formats/row-text.ts';
import { described } from '../values/kind.ts';
import { refuseObstacle } from '../values/leaving.ts';
import { refusePromise } from '../values/promise.ts';

/** What the lines of a CSV file depend on. */
export interface CsvFile {
  /** For messages. */
  readonly path: string;
  /** The fields of its first row. undefined: it has no header yet. */
  columns: readonly string[] | undefined;
}

/** Error: `bad-row`. */
export function jsonLine(row: unknown): string {
  const text = rowText(row);
  if (text !== undefined) return `${text}\n`;
  throw new SluiceError('bad-row', `toFile() got ${described(row)}, which has no JSON text.`);
}

/** A text that file() would read as another value, or whose blanks or line ends would be lost. */
const ambiguous = /^$|^\s|\s$|\r|^\ufeff|^sep=|^true$|^false$|^NaN$|^-?Infinity$|^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Names are not in doubt, so they are quoted only where it must be. */
const ambiguousName = /^\s*$|\r|^\ufeff|^sep=/;
type CastingResult = { readonly value: string; readonly quoted: boolean; readonly quoted_empty: boolean };
/** Writes dates as ISO-8601, and other objects as JSON. Quoted is text. */
const cast = {
  string: (value: string, { header }: CastingContext): string | CastingResult =>
    (header ? ambiguousName : ambiguous).test(value) ? { value, quoted: true, quoted_empty: true } : value,
  date: (value: Date): string => value.toISOString(),
  boolean: String,
  // Digits alone would be read as a bigint.
  number: (value: number): string =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value),
  object: (value: object): string => rowText(value) ?? '',
};

/**
 * The first row gives the columns. `header`: their names come before the row. Error: `bad-row`.
 */
export function csvLines(file: CsvFile, row: unknown, header = file.columns === undefined): string {
  refusePromise(row, 'The function that made this row');
  if (row === null || typeof row !== 'object' || Array.isArray(row))
    throw new SluiceError(
      'bad-row',
      `toFile() writes CSV from objects, and got ${described(row)}. Map it to an object first.`,
    );
  refuseObstacle(row, 'toFile() cannot write a row');
  const columns = (file.columns ??= Object.keys(row));
  const other = Object.keys(row).find((name) => !columns.includes(name));
  if (other !== undefined)
    throw new SluiceError(
      'bad-row',
      `A row has the field "${other}", which the header of ${file.path} does not name: ${columns.join(', ')}. Map all rows to the same fields.`,
    );
  const text = stringify([row], { header, columns: [...columns], cast });
  // An empty line is no record.
  return columns.length === 1 && text.endsWith('\n\n') ? `${text.slice(0, -1)}""\n` : text === '\n' ? '""\n' : text;
}
