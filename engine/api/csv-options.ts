// The options of file() that say how the text of a file is read.
import { SluiceError } from '../errors/error.ts';
import type { ColumnType, CsvSpec } from '../graph/parameters.ts';
import { oneOf, text } from './options.ts';
import { describe } from './parameters.ts';

const columnTypes = ['text', 'number', 'boolean'] as const;
export const csvOptionNames = ['types', 'delimiter', 'quote', 'comment', 'decimal', 'header'];

/** undefined: the options say nothing about CSV. */
export function csvSpec(options: Readonly<Record<string, unknown>>, format: string): CsvSpec | undefined {
  const given = csvOptionNames.filter((name) => options[name] !== undefined);
  if (given.length === 0) return undefined;
  if (format !== 'csv' && format !== 'tsv')
    throw new SluiceError(
      'bad-option',
      `file() has the option ${given[0]!}, which is one of CSV, and reads ${format}.`,
    );
  const { types, delimiter, quote, comment, decimal, header } = options;
  const spec: CsvSpec = {
    ...(types !== undefined && { types: typesOf(types) }),
    ...(delimiter !== undefined && { delimiter: character('delimiter', delimiter) }),
    ...(quote !== undefined && { quote: quote === false ? '' : character('quote', quote) }),
    ...(comment !== undefined && { comment: character('comment', comment) }),
    ...(decimal !== undefined && { decimal: oneOf('The decimal of file()', decimal, [',', '.'] as const) }),
    ...(header !== undefined && { header: headerOf(header) }),
  };
  const { delimiter: between = format === 'tsv' ? '\t' : ',', quote: around = '"' } = spec;
  if (between === around || between === spec.comment || (around !== '' && around === spec.comment))
    throw new SluiceError('bad-option', 'The delimiter, quote and comment of file() must be different characters.');
  // A `sep=` line of the file may give the delimiter. Without one, the file is refused when it
  // opens.
  if (spec.delimiter !== undefined && spec.delimiter === (spec.decimal ?? '.'))
    throw new SluiceError(
      'bad-option',
      `The decimal and the delimiter of file() are both ${JSON.stringify(spec.delimiter)}. Give the delimiter of the file, such as delimiter: ";".`,
    );
  return spec;
}

function character(name: string, given: unknown): string {
  if (typeof given === 'string' && /^[\t\x20-\x7e]$/.test(given)) return given;
  throw new SluiceError('bad-option', `The ${name} of file() is one character of ASCII, not ${describe(given)}.`);
}
function typesOf(given: unknown): NonNullable<CsvSpec['types']> {
  if (typeof given === 'string') return oneOf('types of file()', given, columnTypes);
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw new SluiceError('bad-option', `types of file() is { column: "text", … } or "text", not ${describe(given)}.`);
  const entries = Object.entries(given).filter(([, type]) => type !== undefined);
  return Object.fromEntries(
    entries.map(([name, type]): [string, ColumnType] => [
      name,
      oneOf(`The type of column "${name}" of file()`, type, columnTypes),
    ]),
  );
}
function headerOf(given: unknown): boolean | readonly string[] {
  if (typeof given === 'boolean') return given;
  if (!Array.isArray(given) || given.length === 0)
    throw new SluiceError(
      'bad-option',
      `header of file() is true, false or the names of the columns, not ${describe(given)}.`,
    );
  const names = given.map((name) => text('A name in the header of file()', name));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new SluiceError('bad-option', `The header of file() names the column "${twice}" twice. Rename one.`);
  return names;
}

/** The name of an encoding that TextDecoder knows. */
export function encodingOf(given: unknown): string {
  const name = text('The encoding of file()', given);
  try {
    return new TextDecoder(name).encoding;
  } catch {
    throw new SluiceError(
      'bad-option',
      `The encoding of file() is ${JSON.stringify(name)}, which is none of the Encoding Standard, such as "utf-8", "utf-16le", "windows-1252", "iso-8859-15", "ibm866", "shift_jis" and "gb18030".`,
    );
  }
}
