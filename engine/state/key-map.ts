// A map whose keys are tuples. A tuple of one primitive, by far the most common, is looked up as it is: '1' is not 1, −0 is 0. All others go by their text.
import { keyText } from './key-text.ts';

export class KeyMap<V> {
  /** Keys of one string, number, bigint, boolean or null. Read by the loops of keyed operators. */
  readonly plain = new Map<unknown, V>();
  /** All other keys, by `keyText`; made when the first one comes. */
  composite: Map<string, V> | undefined;

  get size(): number {
    return this.plain.size + (this.composite?.size ?? 0);
  }
  get(tuple: readonly unknown[]): V | undefined {
    return isPlain(tuple) ? this.plain.get(tuple[0]) : this.composite?.get(keyText(tuple));
  }
  set(tuple: readonly unknown[], value: V): void {
    if (isPlain(tuple)) this.plain.set(tuple[0], value);
    else (this.composite ??= new Map<string, V>()).set(keyText(tuple), value);
  }
  delete(tuple: readonly unknown[]): void {
    if (isPlain(tuple)) this.plain.delete(tuple[0]);
    else this.composite?.delete(keyText(tuple));
  }
  forEach(visit: (value: V) => void): void {
    this.plain.forEach(visit);
    this.composite?.forEach(visit);
  }
}

function isPlain(tuple: readonly unknown[]): boolean {
  return tuple.length === 1 && (typeof tuple[0] !== 'object' || tuple[0] === null);
}
