// How an operator finds the key of an element: compiled once from the plan's key. A key is the tuple of its values; field names are labels only.
//
// On the record path only `read` runs, and one lookup with what it gives; the row that results carry is made when a key is new.
import type { FunctionTable, KeySpec } from '../graph/plan.ts';
import { compiled } from '../operators/fresh.ts';
import { fieldReader, type Select } from '../operators/selector.ts';
import type { KeyMap } from './key-map.ts';
import { keyText, valueText } from './key-text.ts';
import { assertKeyValue } from './key-value.ts';
import { kindOf } from './kind.ts';

/** The key as results and `context.key` show it: {customer: 'ann'}; {key: 5} for a function that gives no object; {} for windowAll. */
export type KeyRow = Readonly<Record<string, unknown>>;

export interface Keys {
  /** Names of the row's fields, where they are known before an element comes. */
  readonly fields: readonly string[] | undefined;
  /** What `read` gives is the text of the whole tuple already. */
  readonly textual: boolean;
  /** The key of an element, to be looked up with `find` (or directly in `plain`, when it is a primitive). Not checked: what is no key is never found. */
  readonly read: Select;
  find<V>(map: KeyMap<V>, key: unknown): V | undefined;
  /** The row of a key that was not found; throws when it is none. */
  row(element: unknown, key: unknown): KeyRow;
  /** The key's identity. */
  tuple(row: KeyRow): readonly unknown[];
  /** The row in a snapshot: values without their labels, where the labels are known. */
  pack(row: KeyRow): unknown;
  unpack(packed: unknown): KeyRow;
}

export function compileKeys(spec: KeySpec, functions: FunctionTable, label: string): Keys {
  if ('constant' in spec) return new FieldKeys([], true, () => '');
  if ('fn' in spec) return new FunctionKeys(functions.get<Select>(spec.fn));
  const [field, ...more] = spec.fields;
  if (field !== undefined && more.length === 0) return new FieldKeys(spec.fields, false, fieldReader(field, label));
  return new FieldKeys(spec.fields, true, textReader(spec.fields, label));
}

class FieldKeys implements Keys {
  readonly fields: readonly string[];
  readonly textual: boolean;
  readonly read: Select;
  constructor(fields: readonly string[], textual: boolean, read: Select) {
    this.fields = fields;
    this.textual = textual;
    this.read = read;
  }
  find<V>(map: KeyMap<V>, key: unknown): V | undefined {
    if (this.textual) return map.composite?.get(key as string);
    if (typeof key !== 'object' || key === null) return map.plain.get(key);
    return map.composite?.get(keyText([key]));
  }
  row(element: unknown): KeyRow {
    const row: Record<string, unknown> = {};
    for (const field of this.fields) {
      const value = (element as KeyRow)[field];
      assertKeyValue(value, field);
      row[field] = withoutNegativeZero(value);
    }
    return row;
  }
  tuple(row: KeyRow): readonly unknown[] {
    return this.fields.map((field) => row[field]);
  }
  pack(row: KeyRow): unknown {
    return this.fields.length === 1 ? row[this.fields[0]!] : this.tuple(row);
  }
  unpack(packed: unknown): KeyRow {
    const values = this.fields.length === 1 ? [packed] : (packed as readonly unknown[]);
    return Object.fromEntries(this.fields.map((field, at) => [field, values[at]]));
  }
}

class FunctionKeys implements Keys {
  readonly fields = undefined;
  readonly textual = false;
  readonly read: Select;
  constructor(read: Select) {
    this.read = read;
  }
  find<V>(map: KeyMap<V>, key: unknown): V | undefined {
    if (typeof key !== 'object' || key === null) return map.plain.get(key);
    return map.get(kindOf(key) === 'object' ? this.tuple(key as KeyRow) : [key]);
  }
  row(_element: unknown, key: unknown): KeyRow {
    assertKeyValue(key);
    if (kindOf(key) !== 'object') return { key: withoutNegativeZero(key) };
    const row: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(key as object)) row[name] = withoutNegativeZero(value);
    return row;
  }
  tuple(row: KeyRow): readonly unknown[] {
    const names = Object.keys(row);
    if (names.length > 1) names.sort();
    return names.map((name) => row[name]);
  }
  pack(row: KeyRow): unknown {
    return row;
  }
  unpack(packed: unknown): KeyRow {
    return packed as KeyRow;
  }
}

/** Several fields at once as one text. */
function textReader(fields: readonly string[], label: string): Select {
  const texts = fields.map((field) => `valueText(element[${JSON.stringify(field)}], ${JSON.stringify(field)})`);
  return compiled<Select>(`return (element) => ${texts.join(' + ')}`, { valueText }, label);
}

function withoutNegativeZero(value: unknown): unknown {
  return value === 0 ? 0 : value;
}
