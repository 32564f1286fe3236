// The types of a CSV file's columns. A column has one type, found in the first rows: number or
// boolean if all its values are, else text. What is quoted is text, unless everything is quoted. An
// empty column gets its type with its first value. NaN, Infinity and -Infinity are numbers.
import { exactInteger } from '../formats/integers.ts';
import type { Integers } from '../graph/format-spec.ts';
import type { ColumnType, CsvSpec } from '../graph/parameters.ts';
import { described } from '../values/kind.ts';
import { setField } from '../values/field.ts';

/** A field as it stands in the file. */
export type Field = string | { readonly quoted: string };
/** What a snapshot keeps, so that a restore reads the rest as the beginning. */
export interface SavedColumns {
  readonly types: readonly (readonly [column: string, type: ColumnType])[];
  readonly isAllQuoted: boolean;
}
export type CsvValue = { readonly value: unknown; readonly problem?: undefined } | Problem;
interface Problem {
  readonly value: undefined;
  readonly problem: string;
}

/** How many rows show the types. */
export const sampledRows = 1000;

export class CsvColumns {
  readonly #spec: CsvSpec;
  readonly #integers: Integers;
  readonly #number: RegExp;
  readonly #types = new Map<string, ColumnType>();
  #isAllQuoted = false;
  /** The types were found. They stay, also over rotated files. */
  isKnown = false;

  constructor(spec: CsvSpec = {}, integers: Integers = 'bigint', saved?: SavedColumns) {
    this.#spec = spec;
    this.#integers = integers;
    const fraction = spec.decimal === ',' ? ',' : '\\.';
    this.#number = new RegExp(`^-?(?:0|[1-9]\\d*)(?:${fraction}\\d+)?(?:[eE][+-]?\\d+)?$`);
    if (!saved) return;
    this.#isAllQuoted = saved.isAllQuoted;
    this.#types = new Map(saved.types);
    this.isKnown = true;
  }
  saved(): SavedColumns | undefined {
    return this.isKnown ? { types: [...this.#types], isAllQuoted: this.#isAllQuoted } : undefined;
  }

  /** Finds the types. `header`: its fields, if the file has one. */
  find(names: readonly string[], rows: readonly (readonly Field[])[], header: readonly Field[] | undefined): void {
    this.isKnown = true;
    this.#isAllQuoted =
      [...(header ? [header] : []), ...rows].every((fields) => fields.every(isQuoted)) &&
      (!header || header.some((name) => !this.#needsQuotes(textOf(name))));
    names.forEach((name, at) => {
      if (this.#givenType(name) !== undefined) return;
      const values = rows.map((fields) => fields[at]!).filter((field) => !this.#isNothing(field, names));
      const type = this.#typeOf(values);
      if (type !== undefined) this.#types.set(name, type);
    });
  }
  /** Any writer quotes such a name, so its quotes do not show that the writer quotes everything. */
  #needsQuotes(name: string): boolean {
    const { delimiter } = this.#spec;
    return specialInName.test(name) || (delimiter !== undefined && name.includes(delimiter));
  }
  #typeOf(values: readonly Field[]): ColumnType | undefined {
    if (values.length === 0) return undefined;
    if (!this.#isAllQuoted && values.some(isQuoted)) return 'text';
    const texts = values.map(textOf);
    if (texts.every((text) => text === 'true' || text === 'false')) return 'boolean';
    return texts.every((text) => this.#isNumber(text)) ? 'number' : 'text';
  }
  #givenType(name: string): ColumnType | undefined {
    const { types } = this.#spec;
    if (types === undefined || typeof types === 'string') return types;
    return Object.hasOwn(types, name) ? types[name] : undefined;
  }
  /**
   * A text column may have the empty text, which is quoted. In a file of one column, it is null.
   */
  #isNothing(field: Field, names: readonly string[]): boolean {
    return textOf(field) === '' && (!isQuoted(field) || this.#isAllQuoted || names.length === 1);
  }
  #isNumber(text: string): boolean {
    return noFinite.has(text) || (this.#number.test(text) && Number.isFinite(this.#parsed(text)));
  }
  #parsed(text: string): number {
    return Number(this.#spec.decimal === ',' ? text.replace(',', '.') : text);
  }

  /** The row of a record's fields. */
  row(names: readonly string[], fields: readonly Field[]): CsvValue {
    const value: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      const inner = this.#value(name, fields[at]!, names);
      if (inner === misfit) return { value: undefined, problem: this.#problem(name, textOf(fields[at]!)) };
      setField(value, name, inner);
    }
    return { value };
  }
  #value(name: string, field: Field, names: readonly string[]): unknown {
    const text = typeof field === 'string' ? field : field.quoted;
    let type = this.#givenType(name) ?? this.#types.get(name);
    if (text === '') {
      if (type !== 'text' && type !== undefined) return null;
      if (!isQuoted(field) || names.length === 1 || (type === undefined && this.#isAllQuoted)) return null;
    }
    if (type === undefined) this.#types.set(name, (type = this.#typeOf([field])!));
    if (type === 'text') return text;
    if (type === 'boolean') return text === 'true' || (text === 'false' ? false : misfit);
    if (noFinite.has(text)) return Number(text);
    if (!this.#number.test(text)) return misfit;
    const number = this.#parsed(text);
    return Number.isFinite(number) ? exactInteger(number, text, this.#integers) : misfit;
  }
  #problem(name: string, text: string): string {
    const given = this.#givenType(name);
    const type = given ?? this.#types.get(name)!;
    const why =
      given === undefined
        ? `The column is one of ${type}s: the first values of it are.`
        : `The option types says that it has ${type}s.`;
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `It has ${described(text)} in "${name}", which is no ${type}. ${why} To read it as text, give types: { ${key}: "text" }.`;
  }
}

const misfit = Symbol('misfit');
/** Numbers that JSON does not have, as toFile() and most tools write them. */
const noFinite: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);
const specialInName = /[,;|\t"'\r\n]|^\s|\s$|^$|^\ufeff|^sep=/;

function isQuoted(field: Field): field is { readonly quoted: string } {
  return typeof field !== 'string';
}
export function textOf(field: Field): string {
  return typeof field === 'string' ? field : field.quoted;
}
