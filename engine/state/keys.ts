// Reads the key of an element, compiled once from the plan's key. A key is the tuple of its values;
// field names are labels only.
//
// The record path runs only `read`, and one lookup with its result. The row for results is made
// when a key is new.
import type { FunctionTable } from '../graph/plan.ts';
import type { KeySpec } from '../graph/spec.ts';
import { compiled } from '../codegen/specialize.ts';
import { fieldReader, type Select } from './selector.ts';
import { emptyTuple, isPrimitive, type KeyMap, step } from './key-map.ts';
import { assertKeyValue, refuseMissingKey } from './key-value.ts';
import { setField } from '../values/field.ts';
import { kindOf } from '../values/kind.ts';

/**
 * The key as results and `context.key` show it: {customer: 'ann'}; {key: 5} if a function returns
 * no object; {} for windowAll.
 */
export type KeyRow = Readonly<Record<string, unknown>>;

export interface Keys {
  /** Names of the row's fields, if they are known before the first element. */
  readonly fields: readonly string[] | undefined;
  /**
   * The key of an element, for a lookup: in `plain` if it is a primitive, otherwise with `find`. It
   * is not checked, because an invalid key is never found.
   */
  readonly read: Select;
  readonly find: <V>(this: void, map: KeyMap<V>, key: unknown) => V | undefined;
  /**
   * The row of a key that was not found. Throws when the key is invalid. `names` replaces the names
   * of its values, in the order of the tuple.
   */
  row(element: unknown, key: unknown, names?: readonly string[]): KeyRow;
  /** The key's identity. */
  tuple(row: KeyRow): readonly unknown[];
}

export function compileKeys(spec: KeySpec, functions: FunctionTable, label: string): Keys {
  if ('fn' in spec) return new FunctionKeys(functions.get<Select>(spec.fn));
  if ('carried' in spec) return new CarriedKeys();
  return new FieldKeys('constant' in spec ? [] : spec.fields, label);
}

class FieldKeys implements Keys {
  readonly fields: readonly string[];
  readonly read: Select;
  readonly find: Keys['find'];
  constructor(fields: readonly string[], label: string) {
    this.fields = fields;
    if (fields.length > 1) {
      // The element itself represents its several key values, so nothing is allocated for them.
      this.read = compiled<Select>('return (element) => element', {}, label);
      this.find = branchFinder(fields, (element) => this.tuple(this.row(element)), label);
    } else {
      this.read = fields.length === 1 ? fieldReader(fields[0]!, label) : () => emptyTuple;
      this.find = (map, key) => (isPrimitive(key) ? map.plain.get(key) : map.get([key]));
    }
  }
  row(element: unknown, _key?: unknown, names = this.fields): KeyRow {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!;
      const value = (element as KeyRow | null | undefined)?.[field];
      if (value === undefined) refuseMissingKey(element, field);
      assertKeyValue(value, field);
      setField(row, names[i]!, withoutNegativeZero(value));
    }
    return row;
  }
  tuple(row: KeyRow): readonly unknown[] {
    if (this.fields.length === 1) return [row[this.fields[0]!]];
    return this.fields.map((field) => row[field]);
  }
}

class FunctionKeys implements Keys {
  readonly fields = undefined;
  readonly read: Select;
  /**
   * Field names of the last object, in their order and sorted. The next object mostly has the same
   * names.
   */
  #names: readonly string[] = [];
  #sorted: readonly string[] = [];
  constructor(read: Select) {
    this.read = read;
  }
  readonly find = <V>(map: KeyMap<V>, key: unknown): V | undefined => {
    if (isPrimitive(key)) return map.plain.get(key);
    return map.get(kindOf(key) === 'object' ? this.tuple(key as KeyRow) : [key]);
  };
  row(element: unknown, key: unknown, names?: readonly string[]): KeyRow {
    if (key === undefined) refuseMissingKey(element);
    assertKeyValue(key);
    const row: Record<string, unknown> = {};
    if (kindOf(key) !== 'object') setField(row, names?.[0] ?? 'key', withoutNegativeZero(key));
    else if (names)
      this.tuple(key as KeyRow).forEach((value, i) => setField(row, names[i]!, withoutNegativeZero(value)));
    else for (const [name, value] of Object.entries(key as object)) setField(row, name, withoutNegativeZero(value));
    return row;
  }
  tuple(row: KeyRow): readonly unknown[] {
    const names = Object.keys(row);
    if (names.length !== this.#names.length || names.some((name, at) => name !== this.#names[at])) {
      this.#names = names;
      this.#sorted = names.toSorted();
    }
    return this.#sorted.map((name) => row[name]);
  }
}

/**
 * For the changes of a table: each carries its tuple, made when the row entered the table. No
 * result shows field names.
 */
class CarriedKeys implements Keys {
  readonly fields = undefined;
  readonly read: Select = (change) => (change as { readonly key: readonly unknown[] }).key;
  readonly find = <V>(map: KeyMap<V>, key: unknown): V | undefined => map.get(key as readonly unknown[]);
  row(_change: unknown, key: unknown): KeyRow {
    return { key };
  }
  tuple(row: KeyRow): readonly unknown[] {
    return row['key'] as readonly unknown[];
  }
}

/**
 * Looks up the tuple of several fields, one step per field. `checked` makes the tuple if a value is
 * no primitive.
 */
function branchFinder(
  fields: readonly string[],
  checked: (element: unknown) => readonly unknown[],
  label: string,
): Keys['find'] {
  const values = fields.map((field, at) => `const v${at} = element?.[${JSON.stringify(field)}];`);
  const objects = fields.map((_, at) => `(typeof v${at} === 'object' && v${at} !== null)`);
  const steps = fields.reduce((branch, _, at) => `step(${branch}, v${at})`, `branches[${fields.length}]`);
  const body = `
    return (map, element) => {
      ${values.join(' ')}
      if (${objects.join(' || ')}) return map.get(checked(element));
      const branches = map.branches;
      return branches === undefined ? undefined : ${steps};
    };`;
  return compiled<Keys['find']>(body, { step, checked }, label);
}

function withoutNegativeZero(value: unknown): unknown {
  return value === 0 ? 0 : value;
}
