// The keys of two inputs as one: the tuples of values are compared, and rows carry the names that the left side gives them.
import { compiled } from '../codegen/specialize.ts';
import type { Select } from './selector.ts';
import { SluiceError } from '../errors/error.ts';
import type { KeyMap } from './key-map.ts';
import type { KeyRow, Keys } from './keys.ts';

export class JoinKeys implements Keys {
  /** The input that elements come from: whoever drives an operator of one input with the elements of two sets it before each call. */
  side: 0 | 1 = 0;
  readonly fields: readonly string[] | undefined;
  readonly read: Select;
  readonly find: Keys['find'];
  readonly #left: Keys;
  readonly #right: Keys;
  /** What errors call the operator. */
  readonly #name: string;
  /** In the order of the tuple. Those of a function are known when it has given its first key. */
  #names: readonly string[] | undefined;
  /** How many values a key has, and which side said so first. */
  #places: number | undefined;

  constructor(left: Keys, right: Keys, name: string) {
    this.#left = left;
    this.#right = right;
    this.#name = name;
    this.fields = left.fields;
    this.#names = left.fields;
    this.#places = left.fields?.length ?? right.fields?.length;
    this.read = compiled<Select>(
      'return (element) => (keys.side === 0 ? left(element) : right(element))',
      { keys: this, left: left.read, right: right.read },
      name,
    );
    this.find = <V>(map: KeyMap<V>, key: unknown): V | undefined =>
      this.side === 0 ? left.find(map, key) : right.find(map, key);
  }

  row(element: unknown, key: unknown): KeyRow {
    if (this.side === 0) {
      const row = this.#left.row(element, key);
      const names = this.#left.fields ?? Object.keys(row).sort();
      this.#assertPlaces(names);
      this.#names ??= names;
      return row;
    }
    this.#assertPlaces(this.#right.fields ?? Object.keys(this.#right.row(element, key)));
    return this.#right.row(element, key, this.#names ?? namesOf(this.#places!));
  }
  tuple(row: KeyRow): readonly unknown[] {
    return this.#left.tuple(row);
  }
  pack(row: KeyRow): unknown {
    return this.#left.pack(row);
  }
  unpack(packed: unknown): KeyRow {
    return this.#left.unpack(packed);
  }

  /** The names that a function gave, for the snapshot. */
  get names(): readonly string[] | undefined {
    return this.#names;
  }
  restoreNames(names: readonly string[] | undefined): void {
    this.#names ??= names;
    this.#places ??= names?.length;
  }

  #assertPlaces(names: readonly string[]): void {
    this.#places ??= names.length;
    if (names.length === this.#places) return;
    const [here, there] = this.side === 0 ? ['left', 'right'] : ['right', 'left'];
    throw new SluiceError(
      'bad-key',
      `"${this.#name}" cannot match its sides: a key of the ${here} side has ${values(names.length)} (${names.join(', ')}), ` +
        `one of the ${there} side ${this.#places}. Key both by the same values, in the same order.`,
    );
  }
}

function values(n: number): string {
  return n === 1 ? '1 value' : `${n} values`;
}
/** Until the left side has named them. They sort as they are numbered, because the tuple of a function's key goes by sorted names. */
function namesOf(places: number): readonly string[] {
  if (places === 1) return ['key'];
  return Array.from({ length: places }, (_, i) => `key${String(i + 1).padStart(String(places).length, '0')}`);
}
