// The keys of two inputs as one key: tuples of values are compared. Rows have the field names of
// the left side.
import { compiled } from '../codegen/specialize.ts';
import type { Select } from './selector.ts';
import { SluiceError } from '../errors/error.ts';
import type { KeyMap } from './key-map.ts';
import type { KeyRow, Keys } from './keys.ts';

export class JoinKeys implements Keys {
  /**
   * The input of the current elements. An operator of one input that processes the elements of two
   * inputs sets this before each call.
   */
  side: 0 | 1 = 0;
  readonly fields: readonly string[] | undefined;
  readonly read: Select;
  readonly find: Keys['find'];
  readonly #left: Keys;
  readonly #right: Keys;
  /** The operator's name, for errors. */
  readonly #name: string;
  /**
   * Field names in the order of the tuple. If a function makes the key, they are known after its
   * first key.
   */
  #names: readonly string[] | undefined;
  /** Number of values of a key, as the first side that knew it defined it. */
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

  /** The field names, for the snapshot. */
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
/**
 * Names to use until the left side has defined them. Their sort order is their numeric order,
 * because the tuple of a function's key is ordered by name.
 */
function namesOf(places: number): readonly string[] {
  if (places === 1) return ['key'];
  return Array.from({ length: places }, (_, i) => `key${String(i + 1).padStart(String(places).length, '0')}`);
}
